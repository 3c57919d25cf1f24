"""Two records of the same owner or pet become one: find the duplicate, look at both, decide."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from django.contrib import messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Owner, Pet
from clinic.selectors.duplicates import similar_owners
from clinic.selectors.search import search
from clinic.services import merging
from web.forms.merging import MergeForm
from web.support import data_of, form_page, needs

Merge = Callable[[Actor, int, int], Any]


@needs(Right.MANAGE)
def owners(request: HttpRequest, owner_id: int) -> HttpResponse:
    """Merge an owner with a duplicate."""
    rows = Owner.objects.filter(merged_into=None).prefetch_related("phones", _pets())
    owner = get_object_or_404(rows, pk=owner_id)
    other = _other(request, rows, owner_id)
    if other is not None:
        return _decide(request, [owner, other], merging.merge_owners)
    query = request.GET.get("q", "").strip()
    if query:
        candidates: List[Any] = search(query).owners
    else:
        numbers = [phone.number for phone in owner.phones.all()]
        candidates = similar_owners(owner.first_name, owner.last_name, owner.email, numbers)
    return _choose(request, owner, [row for row in candidates if row.pk != owner.pk], query)


@needs(Right.MANAGE)
def pets(request: HttpRequest, pet_id: int) -> HttpResponse:
    """Merge a pet with a duplicate of the same species."""
    rows = Pet.objects.filter(merged_into=None).select_related("owner", "species", "breed")
    pet = get_object_or_404(rows, pk=pet_id)
    other = _other(request, rows, pet_id)
    if other is not None:
        return _decide(request, [pet, other], merging.merge_pets)
    query = request.GET.get("q", "").strip()
    if query:
        candidates: List[Any] = [row for row in search(query).pets if row.species_id == pet.species_id]
    else:
        alike = Q(owner=pet.owner_id) | Q(search_name=pet.search_name)
        candidates = list(rows.filter(alike, species=pet.species_id)[:10])
    return _choose(request, pet, [row for row in candidates if row.pk != pet.pk], query)


def _pets() -> Prefetch[Any]:
    return Prefetch("pets", Pet.objects.filter(merged_into=None).select_related("species"))


def _other(request: HttpRequest, rows: QuerySet[Any], pk: int) -> Optional[Any]:
    """The duplicate that the address names, None while it is still looked for."""
    other_pk = request.GET.get("with", "")
    return get_object_or_404(rows.exclude(pk=pk), pk=other_pk) if other_pk.isdecimal() else None


def _choose(request: HttpRequest, record: Any, candidates: List[Any], query: str) -> HttpResponse:
    context = {"record": record, "candidates": candidates, "sought": query, "is_pet": isinstance(record, Pet)}
    return render(request, "web/merging/choose.html", context)


def _decide(request: HttpRequest, pair: List[Any], merge: Merge) -> HttpResponse:
    form = MergeForm(data_of(request), records=pair)
    if form.is_valid():
        record = form.attempt(merge, Actor.of(request), *form.kept_and_hidden)
        if record is not None:
            messages.success(request, _("The records were merged. The duplicate is hidden and leads here."))
            return redirect(record.get_absolute_url())
    heading = _("Merge two records")
    back = pair[0].get_absolute_url()
    return form_page(request, form, heading, _("Merge permanently"), back, template="web/merging/pair.html", pair=pair)
