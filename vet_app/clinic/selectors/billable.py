"""What a visit has to be billed for, and the visits that have no bill yet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import List, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
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
    """The visit's vaccinations and prescriptions that have a product; none where a bill has the visit already."""
    if _counting().filter(visit=visit).exists():
        return []
    vaccinations = _given().filter(visit=visit).select_related("vaccine", "product")
    prescribed = _prescribed().filter(visit=visit).select_related("product")
    with override(papers_language()):
        lines = [ToBill(each.product, str(each.vaccine), Decimal(1)) for each in vaccinations if each.product]
    return lines + [ToBill(each.product, str(each), each.quantity) for each in prescribed if each.product]


def not_billed() -> QuerySet[Visit]:
    """Visits of the last weeks that have something with a price and no bill, the newest first."""
    priced = Q(pk__in=_given().values("visit")) | Q(pk__in=_prescribed().values("visit"))
    recent = Visit.objects.filter(entered_in_error=False, at__gte=timezone.now() - LOOK_BACK)
    visits = recent.filter(priced).exclude(Exists(_counting().filter(visit=OuterRef("pk"))))
    return visits.select_related("pet__owner", "pet__species")


def bills_of(visit: Visit) -> QuerySet[Invoice]:
    """The bills and estimates that have a line of the visit."""
    return Invoice.objects.filter(pk__in=InvoiceLine.objects.filter(visit=visit).values("invoice")).order_by("pk")
