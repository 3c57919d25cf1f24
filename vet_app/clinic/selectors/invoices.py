"""Lists of invoices."""

from __future__ import annotations

from django.db.models import Case, IntegerField, QuerySet, Value, When

from clinic.models import Invoice


def listed() -> QuerySet[Invoice]:
    """All invoices: unpaid first, then drafts, then the rest, the newest on top of each.

    They come with owner, payments and credits, as `services.billing.amount_due` needs them.
    """
    order = Case(
        When(status=Invoice.Status.ISSUED, then=Value(0)),
        When(status=Invoice.Status.DRAFT, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    invoices = Invoice.objects.select_related("owner").prefetch_related("payments", "credits")
    return invoices.order_by(order, "-id")
