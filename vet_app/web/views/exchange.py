"""Import with a preview, and export."""

from __future__ import annotations

from typing import Any, Dict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.roles import Right
from audit.actor import Actor
from exchange import exporting, importing
from exchange.models import ImportFile
from exchange.report import Outcome, Report
from web.forms.exchange import ImportForm
from web.support import data_of, needs

MOST_SHOWN = 200
EXAMPLES = 20


@needs(Right.MANAGE)
def exchange(request: HttpRequest) -> HttpResponse:
    """The start of an import, files that wait, and the exports."""
    actor = Actor.of(request)
    form = ImportForm(data_of(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        importing.forget_old(actor)
        given = form.cleaned_data
        options = {"dates": given["dates"], "duplicates": given["duplicates"]}
        staged = form.attempt(importing.stage, actor, given["file"].name, given["file"].read(), **options)
        if staged is not None:
            return redirect("import_preview", staged.pk)
    waiting = ImportFile.objects.filter(status=ImportFile.Status.STAGED).defer("content").select_related("user")
    context = {"form": form, "waiting": waiting[:20], "heading": _("Import and export")}
    return render(request, "web/exchange/exchange.html", context, status=form.status)


@require_safe
@needs(Right.MANAGE)
def import_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The dry run: what the import would do, rows that need a look first."""
    report = importing.preview(Actor.of(request), pk)
    return _report_page(request, pk, report)


@require_POST
@needs(Right.MANAGE)
def import_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Import what the preview showed."""
    report = importing.apply(Actor.of(request), pk)
    if not report.applied:
        return _report_page(request, pk, report, status=422)
    messages.success(request, _("Imported: %(what)s.") % {"what": _created(report)})
    return redirect("exchange")


@require_POST
@needs(Right.MANAGE)
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a waiting file away."""
    importing.discard(Actor.of(request), pk)
    messages.success(request, _("The file was thrown away. Nothing was imported."))
    return redirect("exchange")


def _created(report: Report) -> str:
    count: Dict[str, int] = report.created
    words = [
        ngettext("%(count)d owner", "%(count)d owners", count["owner"]) % {"count": count["owner"]},
        ngettext("%(count)d pet", "%(count)d pets", count["pet"]) % {"count": count["pet"]},
        ngettext("%(count)d vaccination", "%(count)d vaccinations", count["vaccination"])
        % {"count": count["vaccination"]},
    ]
    return ", ".join(words)


def _report_page(request: HttpRequest, pk: int, report: Report, status: int = 200) -> HttpResponse:
    staged = get_object_or_404(ImportFile.objects.defer("content"), pk=pk)
    wrong = [row for row in report.rows if row.outcome is Outcome.ERROR]
    similar = [row for row in report.rows if row.similar and row.outcome is not Outcome.ERROR]
    others = [row for row in report.rows if not row.similar and row.outcome is not Outcome.ERROR]
    context: Dict[str, Any] = {
        "heading": _("Preview of %(file)s") % {"file": staged.name},
        "staged": staged,
        "report": report,
        "created": _created(report),
        "counts": [(outcome, report.counts[outcome.value]) for outcome in Outcome],
        "groups": [
            (_("Rows with errors"), wrong[:MOST_SHOWN], len(wrong) - MOST_SHOWN),
            (_("Owners who look like somebody recorded already"), similar[:MOST_SHOWN], len(similar) - MOST_SHOWN),
            (_("Rows that are fine"), others[:EXAMPLES], len(others) - EXAMPLES),
        ],
    }
    return render(request, "web/exchange/preview.html", context, status=status)


@require_safe
@needs(Right.MANAGE)
def import_template(request: HttpRequest) -> HttpResponse:
    """An example file to start from."""
    response = HttpResponse(importing.template(), content_type=exporting.CSV_TYPE)
    response["Content-Disposition"] = 'attachment; filename="import-example.csv"'
    return response


@require_safe
@needs(Right.MANAGE)
def export_clients(request: HttpRequest) -> StreamingHttpResponse:
    """All clients as CSV; with ?separator=semicolon for European Excel."""
    delimiter = ";" if request.GET.get("separator") == "semicolon" else ","
    pieces = exporting.clients(Actor.of(request), delimiter=delimiter)
    response = StreamingHttpResponse(pieces, content_type=exporting.CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="clients-{timezone.localdate():%Y-%m-%d}.csv"'
    return response
