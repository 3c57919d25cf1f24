"""Owners: the list, their pages, creating and changing them."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Owner, Pet
from clinic.selectors.calendar import coming
from clinic.selectors.invoices import balance_of, credit_of, listed
from clinic.services.owners import PossibleDuplicate, create_owner, update_owner
from web.forms.owners import OwnerForm, begun_with
from web.support import data_of, form_page, needs, paged

BILLS_SHOWN = 20  # the list of bills has them all


def _owners() -> Prefetch[str]:
    return Prefetch("pets", Pet.objects.filter(merged_into=None).select_related("species", "breed"))


@needs(Right.VIEW)
def owners(request: HttpRequest) -> HttpResponse:
    """All owners by name."""
    rows = Owner.objects.filter(merged_into=None, erased_on=None).prefetch_related("phones", _owners())
    return render(request, "web/owners/list.html", {"page": paged(request, rows), "heading": _("Owners and pets")})


@needs(Right.VIEW)
def owner(request: HttpRequest, pk: int) -> HttpResponse:
    """One owner with pets and bills; a merged one leads to who it became."""
    record = get_object_or_404(Owner.objects.prefetch_related("phones", _owners()), pk=pk)
    if record.merged_into_id:
        return redirect("owner", record.merged_into_id)
    bills = listed().filter(owner=record)[:BILLS_SHOWN]
    balance, credit = balance_of(record), credit_of(record)
    appointments = coming().filter(pet__owner=record).select_related("pet")[:10]
    context = {
        "owner": record,
        "bills": bills,
        "balance": balance,
        "owed": -balance,
        "credit": credit,
        "debt": -credit,
        "appointments": appointments,
    }
    return render(request, "web/owners/owner.html", context)


@needs(Right.FRONT_DESK)
def owner_new(request: HttpRequest) -> HttpResponse:
    """Create an owner, begun with what a search for nobody was typed with; people who look alike are shown first."""
    form = OwnerForm(data_of(request), initial=begun_with(request.GET.get("typed", "")))
    similar = []
    if request.method == "POST" and form.is_valid():
        created = form.attempt(
            create_owner, Actor.of(request), form.fields_given, form.phone_numbers, other_than=form.owners_seen
        )
        if isinstance(form.conflict, PossibleDuplicate):  # a question, which the page asks with the owners' links
            similar, form.conflict = form.conflict.owners, None
        if created is not None:
            messages.success(request, _("%(name)s was recorded.") % {"name": created.full_name})
            return redirect(created)
    return form_page(
        request, form, _("New owner"), _("Save as a new owner") if similar else _("Save"), reverse("owners"),
        template="web/owners/edit.html", similar=similar,
    )  # fmt: skip


@needs(Right.FRONT_DESK)
def owner_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an owner."""
    record = get_object_or_404(Owner, pk=pk, merged_into=None)
    form = OwnerForm.of(record, data_of(request))
    if request.method == "POST" and form.is_valid():
        version = form.based_on
        changed = form.attempt(
            update_owner, Actor.of(request), pk, version, form.fields_given, form.phone_numbers
        )  # fmt: skip
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect(changed)
    return form_page(
        request, form, record.full_name, _("Save"), record.get_absolute_url(), template="web/owners/edit.html"
    )
