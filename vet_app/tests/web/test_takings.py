"""The takings: every payment and every bill of a span once, as they stand on paper."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import pytest
from django.test import Client
from django.utils import timezone as clock

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Invoice, Payment, Vet
from clinic.selectors.takings import Takings, outstanding, takings
from clinic.services.billing import Line, draft_invoice, issue_invoice, void_invoice
from clinic.services.crediting import credit_invoice
from clinic.services.payments import refund, reverse_payment, take_payment
from clinic.services.settings import change_settings
from clinic.services.visits import start_visit
from tests.conftest import make_actor
from tests.web.conftest import roles_that_may


def issued(clinic: SimpleNamespace, *lines: Line) -> Invoice:
    draft = draft_invoice(clinic.actor, clinic.owner.pk, lines or [Line(product=clinic.product)])
    return issue_invoice(clinic.actor, draft.pk, draft.version)


def today() -> Takings:
    return takings(clock.localdate(), clock.localdate())


@pytest.fixture
def busy(clinic: SimpleNamespace) -> SimpleNamespace:
    """A day with a bill of each fate: 11.00 of the price list, and 3 x 0.33 at 19 % that rounds by bill."""
    clinic.paid, clinic.undone, clinic.void = issued(clinic), issued(clinic), issued(clinic)
    clinic.other = issued(clinic, *[Line(text="Swab", unit_price=Decimal("0.33"), tax_rate=Decimal(19))] * 3)
    take_payment(clinic.actor, clinic.paid.pk, Decimal(5), "cash")
    take_payment(clinic.actor, clinic.paid.pk, Decimal(6), "card")
    wrong = take_payment(clinic.actor, clinic.undone.pk, Decimal(11), "cash")
    reverse_payment(clinic.actor, wrong.pk, "typed twice")
    void_invoice(clinic.actor, clinic.void.pk, clinic.void.version, "typed twice")
    back = issued(clinic)
    take_payment(clinic.actor, back.pk, Decimal(11), "card")
    back.refresh_from_db()
    credit_invoice(clinic.actor, back.pk, back.version, "not given")
    refund(clinic.actor, back.pk, Decimal(11), "transfer")
    return clinic


def test_money_by_method_is_every_payment_once(busy: SimpleNamespace) -> None:
    figures = today()
    sums = {each.method: (each.taken, each.given_back, each.payments) for each in figures.methods}
    assert sums == {
        "cash": (Decimal("16.00"), Decimal("-11.00"), 3),
        "card": (Decimal("17.00"), Decimal(0), 2),
        "transfer": (Decimal(0), Decimal("-11.00"), 1),
    }
    assert figures.balance == sum(payment.amount for payment in Payment.objects.all()) == Decimal("11.00")


def test_tax_and_kinds_agree_with_the_bills(busy: SimpleNamespace) -> None:
    figures = today()
    bills = Invoice.objects.exclude(status__in=["draft", "void"])
    assert figures.net == sum(bill.net for bill in bills)
    assert figures.tax == sum(bill.tax for bill in bills)
    assert figures.net == sum(kind.net for kind in figures.kinds)
    assert {(each.rate, each.net, each.tax) for each in figures.taxes} == {
        (Decimal(10), Decimal("20.00"), Decimal("2.00")), (Decimal(19), Decimal("0.99"), Decimal("0.19")),
    }  # fmt: skip
    assert {kind.kind: kind.net for kind in figures.kinds} == {"service": Decimal("20.00"), "": Decimal("0.99")}


def test_a_day_ends_at_the_clinics_midnight(clinic: SimpleNamespace, settings: Any) -> None:
    bill = issued(clinic)
    take_payment(clinic.actor, bill.pk, Decimal(11), "cash")
    late = datetime(2026, 7, 1, 3, 59, tzinfo=timezone.utc)  # 30 June, 23:59 in New York
    Payment.objects.update(at=late)
    Invoice.objects.update(issued_at=late)
    with clock.override("America/New_York"):
        june, july = takings(date(2026, 6, 30), date(2026, 6, 30)), takings(date(2026, 7, 1), date(2026, 7, 1))
    assert (june.balance, june.net) == (Decimal(11), Decimal(10))
    assert (july.balance, july.net) == (Decimal(0), Decimal(0))


def test_outstanding_by_age(clinic: SimpleNamespace) -> None:
    for days in (-5, 0, 1, 30, 31, 90, 91, 400):
        bill = issued(clinic)
        Invoice.objects.filter(pk=bill.pk).update(due_on=clock.localdate() - timedelta(days=days))
    take_payment(clinic.actor, bill.pk, Decimal("0.50"), "cash")
    debts = {(each.since, each.until): (each.bills, each.amount) for each in outstanding()}
    assert debts == {
        (0, 0): (2, Decimal("22.00")), (1, 30): (2, Decimal("22.00")), (31, 60): (1, Decimal("11.00")),
        (61, 90): (1, Decimal("11.00")), (91, None): (2, Decimal("21.50")),
    }  # fmt: skip


def test_what_was_credited_of_an_unpaid_bill_is_not_outstanding(clinic: SimpleNamespace) -> None:
    bill = issued(clinic)
    part = {"number": 9000, "status": "paid", "total": Decimal("-4.00"), "net": Decimal("-4.00")}
    Invoice.objects.create(owner=bill.owner, credit_of=bill, issued_at=clock.now(), **part)
    assert sum(each.amount for each in outstanding()) == Decimal("7.00")


def test_who_may_see_the_takings(client_of: Callable[[str], Client]) -> None:
    for address in ("/takings/", "/takings/takings.csv", "/takings/owing/"):
        assert roles_that_may(client_of, address) == [Role.RECEPTION, Role.MANAGER, Role.ACCOUNTANT], address


def test_vets_who_may_bill_see_the_takings(client_of: Callable[[str], Client]) -> None:
    change_settings(make_actor(Role.MANAGER), 0, {"name": "n", "address": "a", "phone": "p", "vets_may_bill": True})
    assert client_of(Role.VET).get("/takings/").status_code == 200


def test_the_accountant_reads_and_changes_nothing(busy: SimpleNamespace, client_of: Callable[[str], Client]) -> None:
    reader, bill = client_of(Role.ACCOUNTANT), busy.paid
    assert 'href="/takings/"' in reader.get("/invoices/").content.decode()
    takings_page = reader.get("/takings/").content.decode()
    assert "takings.csv" in takings_page and "Count the till" not in takings_page
    assert '<form method="post"' not in reader.get(bill.get_absolute_url()).content.decode().split("<main")[1]
    for address in ("issue/", "pay/", "discard/"):
        assert reader.post(f"{bill.get_absolute_url()}{address}").status_code == 403
    closed = ("edit/", "void/", "credit/")
    assert {reader.get(f"{bill.get_absolute_url()}{each}").status_code for each in closed} == {403}
    visit = start_visit(busy.actor, busy.pet.pk, {"vet": busy.vet})
    for address in (f"/owners/{busy.owner.pk}/edit/", f"/owners/{busy.owner.pk}/account/", visit.get_absolute_url(),
                    "/takings/till/", "/team/", "/lists/prices/", "/audit/"):  # fmt: skip
        assert reader.get(address).status_code == 403, address


def test_the_page_shows_a_span(busy: SimpleNamespace, as_manager: Client) -> None:
    page = as_manager.get("/takings/").content.decode()
    assert "<strong>11.00</strong>" in page
    assert "<strong>2.19</strong>" in page, "the tax of the day"
    assert "<small>USD</small>" in page, "the currency stands once above the sums"
    nothing = as_manager.get("/takings/", {"since": "2020-01-01", "until": "2020-12-31"}).content.decode()
    assert "No money was taken" in nothing
    for wrong in ({"since": "2026-02-31"}, {"since": "2026-03-01", "until": "2026-02-01"}, {"since": "1999-01-01"}):
        assert as_manager.get("/takings/", wrong).status_code == 422
        assert as_manager.get("/takings/takings.csv", wrong).status_code == 422


def test_the_csv_has_the_production_of_each_vet_and_kind(clinic: SimpleNamespace, as_manager: Client) -> None:
    other = Vet.objects.create(name="Dr Other")
    gel = Line(text="Gel", unit_price=Decimal("0.33"), tax_rate=Decimal(10), vet_id=other.pk)
    bill = issued(clinic, Line(product=clinic.product, vet_id=clinic.vet.pk), gel, gel, Line(product=clinic.product))
    answer = as_manager.get("/takings/takings.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert list(rows[0])[-2:] == ["Vet", "Kind"]
    shares = {(row["Vet"], row["Kind"]): (Decimal(row["Net"]), Decimal(row["Tax"]), row["Total"]) for row in rows}
    assert shares == {
        ("Dr Test", "Service"): (Decimal("10.00"), Decimal("1.00"), "11.00"),
        ("Dr Other", ""): (Decimal("0.66"), Decimal("0.07"), "0.73"),
        ("", "Service"): (Decimal("10.00"), Decimal("1.00"), "11.00"),
    }
    assert sum(tax for _net, tax, _total in shares.values()) == bill.tax
    assert {each.vet: each.net for each in today().vets} == {
        name: sum(net for (vet, _kind), (net, *_rest) in shares.items() if vet == name)
        for name in ("Dr Test", "Dr Other", "")
    }


@pytest.mark.parametrize("separator", ["comma", "semicolon"])
def test_the_csv_adds_up_to_the_page(busy: SimpleNamespace, as_manager: Client, separator: str) -> None:
    answer = as_manager.get("/takings/takings.csv", {"separator": separator})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows: List[Dict[str, str]] = list(csv.DictReader(io.StringIO(text), delimiter="," if separator == "comma" else ";"))
    figures = today()

    def column(name: str) -> Decimal:
        return sum((Decimal(row[name]) for row in rows if row[name]), Decimal(0))

    assert (column("Net"), column("Tax"), column("Paid")) == (figures.net, figures.tax, figures.balance)
    assert not any(cell.startswith("'") for row in rows for cell in row.values()), "a negative amount is a number"
    assert AuditEntry.objects.filter(action="export", object_text="takings.csv").count() == 1


def test_the_number_of_questions_does_not_grow_with_the_bills(
    clinic: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    for _each in range(12):
        issued(clinic)
    with django_assert_max_num_queries(5):  # bills, payments, deposits, what is outstanding, what was owed before
        today()
