"""The audit trail, to read."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Right
from audit.models import AuditEntry
from web.forms.audit import AuditFilter
from web.support import needs, paged
from web.words import RECORDS, told

PAGES = {"owner": "owner", "pet": "pet", "visit": "visit", "invoice": "invoice", "vaccination": "certificate",
         "prescription": "prescription", "user": "person"}  # fmt: skip


def _address(entry: AuditEntry) -> str:
    """The page of the record an entry is about, where there is one."""
    if entry.object_type not in PAGES or not entry.object_id.isdigit():
        return ""
    try:
        return reverse(PAGES[entry.object_type], args=[int(entry.object_id)])
    except NoReverseMatch:
        return ""


@require_safe
@needs(Right.AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    """The newest first, with filters."""
    form = AuditFilter(request.GET)
    wanted = form.condition if form.is_valid() else Q(pk__in=[])
    page = paged(request, AuditEntry.objects.filter(wanted).select_related("user"))
    entries = [
        (entry, RECORDS.get(entry.object_type, entry.object_type), _address(entry),
         list(told(entry.object_type, entry.changes)))
        for entry in page
    ]  # fmt: skip
    filtered = any(request.GET.get(name) for name in form.fields)
    context = {"form": form, "page": page, "entries": entries, "filtered": filtered, "heading": _("Audit trail")}
    return render(request, "web/audit/list.html", context, status=form.status)
