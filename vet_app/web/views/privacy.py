"""What a person may ask of the clinic: a copy of all that is recorded, and that it is erased."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.country import years_bills_are_kept
from clinic.models import Owner
from clinic.services.erasure import erase_owner
from exchange.patient import ZIP_TYPE
from exchange.person import person_record
from web.forms.base import ReasonForm
from web.support import data_of, form_page, needs, sensitive


@needs(Right.MANAGE)
@sensitive
def privacy(request: HttpRequest, pk: int) -> HttpResponse:
    """Export an owner's data, or erase it."""
    owner = get_object_or_404(Owner, pk=pk, merged_into=None, erased_on=None)
    form = ReasonForm(data_of(request), initial={"version": owner.version})
    if request.method == "POST" and form.is_valid():
        erased = form.attempt(erase_owner, Actor.of(request), pk, form.based_on, form.cleaned_data["reason"])
        if erased is not None:
            messages.success(request, _("The owner's data was erased."))
            return redirect(erased)
    heading = _("Privacy of %(owner)s") % {"owner": owner.full_name}
    return form_page(
        request, form, heading, _("Erase permanently"), owner.get_absolute_url(), template="web/owners/privacy.html",
        owner=owner, years=years_bills_are_kept(), danger=True,
    )  # fmt: skip


@require_POST
@needs(Right.MANAGE, Right.WHOLE_RECORD)
@sensitive
def person_export(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The copy as a ZIP; that it left the house is in the audit trail."""
    response = StreamingHttpResponse(person_record(Actor.of(request), pk), content_type=ZIP_TYPE)
    response["Content-Disposition"] = f'attachment; filename="owner-{pk}.zip"'
    return response
