"""What a visit has to be billed for, and the visits that have no bill yet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, List, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import override

from clinic.models import Invoice, InvoiceLine, Prescription, Product, Vaccination, Visit
from clinic.selectors.settings import papers_language

LOOK_BACK = timedelta(days=90)
"""How long a visit without a bill is shown; what is older was decided."""


class ToBill(NamedTuple):
    """One line that a visit's bill begins with."""

    product: Product
    text: str
    quantity: Decimal


def _given() -> QuerySet[Vaccination]:
    return Vaccination.objects.filter(entered_in_error=False, product__isnull=False)


def _prescribed() -> QuerySet[Prescription]:
    return Prescription.objects.filter(voided_at=None, product__isnull=False)


def _counting() -> QuerySet[InvoiceLine]:
    """Lines of bills, drafts included, that were not taken back; estimates bill nothing."""
    gone = (Invoice.Status.VOID, Invoice.Status.CREDITED)
    bills = InvoiceLine.objects.filter(invoice__credit_of=None, invoice__valid_until=None)
    return bills.exclude(invoice__status__in=gone)


def to_bill(visit: Visit) -> List[ToBill]:
    """The visit's vaccinations and prescriptions that have a product and no line of a bill yet.

    A line stands for one of its product: the one in its quantity, else the first.
    """
    given = _given().filter(visit=visit).select_related("vaccine", "product").order_by("pk")
    prescribed = _prescribed().filter(visit=visit).select_related("product").order_by("pk")
    with override(papers_language()):
        items = [ToBill(each.product, str(each.vaccine), Decimal(1)) for each in given if each.product]
    items += [ToBill(each.product, str(each), each.quantity) for each in prescribed if each.product]
    for product, quantity in _counting().filter(visit=visit).values_list("product", "quantity"):
        alike = [each for each in items if each.product.pk == product]
        if alike:
            items.remove(min(alike, key=lambda each: each.quantity != quantity))
    return items


def not_billed() -> QuerySet[Visit]:
    """Visits of the last weeks that no bill has, or not all that was given and prescribed, the newest first.

    Left out is what somebody said is not to be billed.
    """
    since = timezone.now() - LOOK_BACK
    without = Q(billing_closed_at=None) & ~Exists(_counting().filter(visit=OuterRef("pk")))
    more = [Q(pk__in=_without_line(each, since).values("visit")) for each in (_given(), _prescribed())]
    visits = Visit.objects.filter(without | more[0] | more[1], entered_in_error=False, at__gte=since)
    return visits.select_related("pet__owner", "pet__species", "vet")


def _without_line(items: QuerySet[Any], since: Any) -> QuerySet[Any]:
    """Of vaccinations or prescriptions those whose product has fewer lines at the visit than it was given there.

    Only those count that came after somebody said that nothing more is to be billed.
    """

    def count(rows: QuerySet[Any]) -> Coalesce:
        alike = rows.filter(visit=OuterRef("visit"), product=OuterRef("product")).order_by().values("visit")
        return Coalesce(Subquery(alike.annotate(count=Count("pk")).values("count")), Value(0))

    recent = items.filter(visit__at__gte=since)
    asked = recent.filter(Q(visit__billing_closed_at=None) | Q(created_at__gt=F("visit__billing_closed_at")))
    missing: QuerySet[Any] = asked.annotate(lines=count(_counting()), given=count(items)).filter(given__gt=F("lines"))
    return missing


def bills_of(visit: Visit) -> QuerySet[Invoice]:
    """The bills and estimates that have a line of the visit."""
    return Invoice.objects.filter(pk__in=InvoiceLine.objects.filter(visit=visit).values("invoice")).order_by("pk")
