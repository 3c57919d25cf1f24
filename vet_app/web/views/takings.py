"""The takings of a day or a span, and the same as CSV for the accountant."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Owner, Product
from clinic.models.account import method_names
from clinic.selectors.invoices import Owing, owing
from clinic.selectors.takings import takings as taken
from clinic.selectors.till import counts
from exchange.accounting import takings_csv as accounted
from exchange.exporting import CSV_TYPE
from web.forms.takings import SpanForm
from web.support import needs, paged

KINDS = dict(Product.Kind.choices)
SHOWN = 10
"""How many owners the takings name; all are on a page of their own."""


@require_safe
@needs(Right.TAKINGS)
def takings(request: HttpRequest) -> HttpResponse:
    """Money by method, bills by tax rate and kind of service, and what is outstanding; today, where no day is named."""
    form = SpanForm.of(request.GET)
    context: Dict[str, Any] = {"form": form, "heading": _("Takings")}
    if form.is_valid():
        since, until = form.days
        sums, names = taken(since, until), method_names()
        context.update(
            sums=sums, since=since, until=until, currency=settings.CURRENCY,
            methods=[(names.get(each.method, each.method), each) for each in sums.methods],
            kinds=[(KINDS.get(each.kind, _("Not from the price list")), each.net) for each in sums.kinds],
            counts=counts(since, until), owing=_named(owing()[:SHOWN]),
        )  # fmt: skip
    return render(request, "web/takings/takings.html", context, status=form.status)


@require_safe
@needs(Right.TAKINGS)
def owing_owners(request: HttpRequest) -> HttpResponse:
    """Everybody with unpaid bills or a debt from before, the largest amount first."""
    page = paged(request, owing())
    context = {"page": page, "rows": _named(list(page.object_list)), "heading": _("Who owes what")}
    return render(request, "web/takings/owing.html", context)


def _named(rows: Sequence[Owing]) -> List[Tuple[Owner, Owing]]:
    """The owners beside what they owe."""
    owners = Owner.objects.in_bulk([each.owner_id for each in rows])
    return [(owners[each.owner_id], each) for each in rows]


@require_safe
@needs(Right.TAKINGS)
def takings_csv(request: HttpRequest) -> HttpResponseBase:
    """The span's bills and payments as CSV; with ?separator=semicolon for European spreadsheets."""
    form = SpanForm.of(request.GET)
    if not form.is_valid():
        return render(request, "web/takings/takings.html", {"form": form, "heading": _("Takings")}, status=422)
    delimiter = ";" if request.GET.get("separator") == "semicolon" else ","
    since, until = form.days
    pieces = accounted(Actor.of(request), since, until, delimiter=delimiter)
    response = StreamingHttpResponse(pieces, content_type=CSV_TYPE)
    name = f"takings-{since:%Y-%m-%d}-{until:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
