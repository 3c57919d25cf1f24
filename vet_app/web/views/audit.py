"""The audit trail, to read."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Right
from audit.models import AuditEntry
from web.audit_display import tell
from web.forms.audit import AuditFilter
from web.support import needs, paged


@require_safe
@needs(Right.AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    """The newest first, with filters."""
    form = AuditFilter(request.GET)
    wanted = form.condition if form.is_valid() else Q(pk__in=[])
    page = paged(request, AuditEntry.objects.filter(wanted).select_related("user"))
    filtered = any(request.GET.get(name) for name in form.fields)
    context = {"form": form, "page": page, "entries": tell(page.object_list), "filtered": filtered,
               "heading": _("Audit trail")}  # fmt: skip
    return render(request, "web/audit/list.html", context, status=form.status)
