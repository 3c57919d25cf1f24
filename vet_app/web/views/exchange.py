"""Import with a preview, and export."""

from __future__ import annotations

from typing import Any, Counter, Dict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.roles import Right
from audit.actor import Actor
from exchange import exporting, importing, mapping
from exchange.csv_in import Unreadable
from exchange.models import ImportFile
from exchange.report import Outcome, Report
from web.forms.exchange import EncodingForm, ImportForm, MappingForm
from web.support import data_of, form_page, needs, sensitive

MOST_SHOWN = 200
EXAMPLES = 20


@needs(Right.MANAGE)
def exchange(request: HttpRequest) -> HttpResponse:
    """The start of an import, files that wait, and the exports."""
    actor = Actor.of(request)
    form = ImportForm(data_of(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        importing.forget_old(actor)
        cleaned = form.cleaned_data
        kind = cleaned["kind"] or ImportFile.Kind.CLIENTS
        options = {"dates": cleaned["dates"], "duplicates": cleaned["duplicates"], "kind": kind}
        staged = form.attempt(importing.stage, actor, cleaned["file"].name, cleaned["file"].read(), **options)
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
def import_read_as(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a waiting file in another encoding."""
    form = EncodingForm(request.POST)
    if form.is_valid():
        importing.read_as(Actor.of(request), pk, form.cleaned_data["encoding"])
    return redirect("import_preview", pk)


@needs(Right.MANAGE)
def import_mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which column each heading means, and what unknown words mean; it is remembered for the next such file."""
    staged = get_object_or_404(ImportFile, pk=pk, status=ImportFile.Status.STAGED)
    table = mapping.table_of(staged)
    try:
        unknown = mapping.unknown_words(table)
    except Unreadable:  # a column that is needed is missing: it is chosen first, and the words follow
        unknown = []
    form = MappingForm(table, unknown, data_of(request))
    if form.is_valid():
        form.attempt(importing.set_mapping, Actor.of(request), pk, form.mapping(staged.mapping))
        return redirect("import_preview", pk)
    heading = _("Columns of %(file)s") % {"file": staged.name}
    intro = _("What you choose is remembered for the next file with these headings.")
    back = reverse("import_preview", args=[pk])
    return form_page(request, form, heading, _("Save and preview"), back, intro=intro)


@require_POST
@needs(Right.MANAGE)
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a waiting file away."""
    importing.discard(Actor.of(request), pk)
    messages.success(request, _("The file was discarded. Nothing was imported."))
    return redirect("exchange")


def _created(report: Report) -> str:
    count: Counter[str] = report.created
    if "owner" not in count:
        counted = [
            ngettext("%(count)d new price", "%(count)d new prices", count["price"]) % {"count": count["price"]},
            ngettext("%(count)d product", "%(count)d products", count["product"]) % {"count": count["product"]},
        ]
        if count["price"] or count["product"]:
            return ", ".join(counted)
    words = [
        ngettext("%(count)d owner", "%(count)d owners", count["owner"]) % {"count": count["owner"]},
        ngettext("%(count)d pet", "%(count)d pets", count["pet"]) % {"count": count["pet"]},
        ngettext("%(count)d vaccination", "%(count)d vaccinations", count["vaccination"])
        % {"count": count["vaccination"]},
    ]
    if count["weight"]:
        words.append(ngettext("%(count)d weight", "%(count)d weights", count["weight"]) % {"count": count["weight"]})
    if count["visit"]:
        words.append(ngettext("%(count)d visit", "%(count)d visits", count["visit"]) % {"count": count["visit"]})
    if count["balance"]:
        balances = ngettext("%(count)d open balance", "%(count)d open balances", count["balance"])
        words.append(balances % {"count": count["balance"]})
    return ", ".join(words)


def _report_page(request: HttpRequest, pk: int, report: Report, status: int = 200) -> HttpResponse:
    staged = get_object_or_404(ImportFile.objects.defer("content"), pk=pk)
    wrong = [row for row in report.rows if row.outcome is Outcome.ERROR]
    similar = [row for row in report.rows if row.similar and row.outcome is not Outcome.ERROR]
    others = [row for row in report.rows if not row.similar and row.outcome is not Outcome.ERROR]
    context: Dict[str, Any] = {
        "heading": _("Preview of %(file)s") % {"file": staged.name},
        "staged": staged,
        "prices": staged.kind == ImportFile.Kind.PRICES,
        "report": report,
        "encoding": EncodingForm(initial={"encoding": report.encoding}),
        "old_letters": not report.encoding.startswith("utf"),
        "created": _created(report),
        "counts": [(outcome, report.counts[outcome.value]) for outcome in Outcome],
        "groups": [
            (_("Rows with errors"), wrong[:MOST_SHOWN], len(wrong) - MOST_SHOWN),
            (_("Possible duplicate owners"), similar[:MOST_SHOWN], len(similar) - MOST_SHOWN),
            (_("Rows without problems"), others[:EXAMPLES], len(others) - EXAMPLES),
        ],
    }
    return render(request, "web/exchange/preview.html", context, status=status)


@require_safe
@needs(Right.MANAGE)
def import_template(request: HttpRequest) -> HttpResponse:
    """An example file to start from: of clients, or with ?kind=prices of a price list."""
    kind = ImportFile.Kind.PRICES if request.GET.get("kind") == "prices" else ImportFile.Kind.CLIENTS
    response = HttpResponse(importing.template(kind), content_type=exporting.CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{kind}-example.csv"'
    return response


@needs(Right.MANAGE)
@sensitive
def export_clients(request: HttpRequest) -> StreamingHttpResponse:
    """All clients as CSV; with ?separator=semicolon for European Excel."""
    delimiter = ";" if request.GET.get("separator") == "semicolon" else ","
    pieces = exporting.clients(Actor.of(request), delimiter=delimiter)
    response = StreamingHttpResponse(pieces, content_type=exporting.CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="clients-{timezone.localdate():%Y-%m-%d}.csv"'
    return response
