"""Ways to pay that a clinic names, cash in the smallest coin, and money that is kept for owners."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import User
from clinic.models import AccountEntry, Invoice, Payment, PaymentMethod
from clinic.selectors.invoices import balance_of, credit_of
from clinic.selectors.settings import clinic_settings
from clinic.selectors.takings import takings
from clinic.selectors.till import cash_of
from clinic.services import billing, crediting, payments
from clinic.services.catalogue import save_entry
from clinic.services.merging import merge_owners
from clinic.services.owners import create_owner
from clinic.services.settings import change_settings
from tests.test_billing import issued
from vetclinic.errors import Conflict


@pytest.fixture
def as_manager_page(client: Any) -> Any:
    """The page Clinic, as a manager sees it."""

    def page() -> Any:
        client.force_login(User.objects.get(username="test-manager"))
        return client.get("/settings/")

    return page


def owing(clinic: SimpleNamespace, amount: str) -> Invoice:
    line = billing.Line(text="x", unit_price=Decimal(amount))
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [line])
    return billing.issue_invoice(clinic.actor, draft.pk, draft.version)


def settings_of(clinic: SimpleNamespace, **fields: Any) -> None:
    who: Any = {"name": "n", "address": "a", "phone": "p", **fields}
    change_settings(clinic.actor, clinic_settings().version, who)


@pytest.mark.parametrize(
    ("currency", "coin"),
    [("CHF", "0.05"), ("CAD", "0.05"), ("AUD", "0.05"), ("NZD", "0.10"), ("SEK", "1"), ("CZK", "1"), ("EUR", None)],
)
def test_a_currency_without_small_coins_rounds_before_anybody_has_set_it(
    clinic: SimpleNamespace, as_manager_page: Any, settings: Any, currency: str, coin: Any
) -> None:
    settings.CURRENCY = currency
    assert clinic_settings().cash_coin == (coin and Decimal(coin))
    assert payments.rounded(Decimal("10.02")) == (Decimal("10.02") if coin is None else Decimal("10.00"))
    shown = as_manager_page().context["form"]["cash_coin"].value()
    assert shown == (coin and Decimal(coin)), "the page Clinic shows it, and saving keeps it"


def status_of(invoice: Invoice) -> str:
    invoice.refresh_from_db()
    return str(invoice.status)


def test_a_clinic_names_its_ways_to_pay(clinic: SimpleNamespace, actor_with: Any) -> None:
    fields = {"name": "CareCredit card", "is_cash": False, "active": True}
    first = save_entry(clinic.actor, PaymentMethod, None, 0, fields)
    second = save_entry(clinic.actor, PaymentMethod, None, 0, {**fields, "name": "CareCredit app"})
    assert first.code != second.code and first.code not in Payment.Internal.values
    bill = issued(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal(1), first.code)
    payments.take_payment(clinic.actor, bill.pk, Decimal(1), "cheque")
    save_entry(clinic.actor, PaymentMethod, first.pk, first.version, {**fields, "active": False})
    for code in (first.code, "barter", "rounding"):
        with pytest.raises(ValidationError, match="not accept this payment method"):
            payments.take_payment(clinic.actor, bill.pk, Decimal(1), code)
    today = timezone.localdate()
    assert {each.method for each in takings(today, today).methods} == {first.code, "cheque"}


@pytest.mark.parametrize(
    ("coin", "due", "cash"),
    [("0.05", "10.02", "10.00"), ("0.05", "10.03", "10.05"), ("0.10", "10.05", "10.10"), ("1.00", "10.49", "10")],
)
def test_cash_is_rounded_to_the_smallest_coin_and_no_bill_stays_open(
    clinic: SimpleNamespace, coin: str, due: str, cash: str
) -> None:
    settings_of(clinic, cash_coin=Decimal(coin))
    bill = owing(clinic, due)
    with pytest.raises(ValidationError, match="In cash, this rounds to"):
        payments.take_payment(clinic.actor, bill.pk, Decimal(due), "cash")
    taken = payments.take_payment(clinic.actor, bill.pk, Decimal(cash), "cash")
    assert (status_of(bill), billing.amount_due(bill)) == ("paid", Decimal(0))
    assert cash_of(timezone.localdate()) == Decimal(cash), "what is rounded off is not in the till"
    payments.reverse_payment(clinic.actor, taken.pk, "slip")
    assert (status_of(bill), billing.amount_due(bill)) == ("issued", Decimal(due))
    for rounding in bill.payments.filter(rounds__isnull=False):
        with pytest.raises(Conflict):
            payments.reverse_payment(clinic.actor, rounding.pk, "alone")
    payments.take_payment(clinic.actor, bill.pk, Decimal(due), "card")
    assert bill.payments.filter(method="rounding").count() == 2, "a card pays to the cent"


def test_a_deposit_is_used_for_a_bill_and_the_rest_paid_back(clinic: SimpleNamespace) -> None:
    for _time in range(3):
        payments.deposit(clinic.actor, clinic.owner.pk, Decimal(20), "cash", key="d")
    assert credit_of(clinic.owner) == Decimal(20), "sent three times, taken once"
    bill, today = issued(clinic), timezone.localdate()
    assert balance_of(clinic.owner) == Decimal(-9)
    payments.take_payment(clinic.actor, bill.pk, Decimal(11), "account")
    assert (status_of(bill), credit_of(clinic.owner), balance_of(clinic.owner)) == ("paid", Decimal(9), Decimal(-9))
    with pytest.raises(ValidationError, match=r"9\.00 on account"):
        payments.take_payment(clinic.actor, issued(clinic).pk, Decimal(10), "account")
    with pytest.raises(ValidationError, match=r"9\.00 on account"):
        payments.deposit(clinic.actor, clinic.owner.pk, Decimal("-9.01"), "cash")
    payments.deposit(clinic.actor, clinic.owner.pk, Decimal(-9), "card")
    sums = {each.method: each.balance for each in takings(today, today).methods}
    assert sums == {"cash": Decimal(20), "card": Decimal(-9)}, "the use of credit is no money that came in"
    assert cash_of(today) == Decimal(20)


def test_an_overpayment_is_kept_and_undone_with_its_payment(clinic: SimpleNamespace) -> None:
    bill = issued(clinic)
    with pytest.raises(ValidationError, match="at most"):
        payments.take_payment(clinic.actor, bill.pk, Decimal(20), "card")
    rows = {payments.take_payment(clinic.actor, bill.pk, Decimal(20), "card", key="k", keep_rest=True) for _t in "ab"}
    assert [payment.amount for payment in rows] == [Decimal(11)]
    assert (status_of(bill), credit_of(clinic.owner)) == ("paid", Decimal(9))
    payments.reverse_payment(clinic.actor, rows.pop().pk, "cheque bounced")
    assert (status_of(bill), credit_of(clinic.owner), balance_of(clinic.owner)) == ("issued", Decimal(0), Decimal(11))
    today = timezone.localdate()
    assert [each.balance for each in takings(today, today).methods] == [Decimal(0)]


def test_what_a_credit_note_gives_back_may_be_kept(clinic: SimpleNamespace) -> None:
    bill = issued(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal(11), "card")
    bill.refresh_from_db()
    crediting.credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    payments.refund(clinic.actor, bill.pk, Decimal(11), "account")
    bill.refresh_from_db()
    assert (billing.amount_due(bill), credit_of(clinic.owner)) == (Decimal(0), Decimal(11))


def test_credit_follows_a_merge_and_asks_for_rights(clinic: SimpleNamespace, actor_with: Any) -> None:
    twin = create_owner(clinic.actor, {"last_name": "Mueller"}, [])
    payments.deposit(clinic.actor, twin.pk, Decimal(5), "card")
    merge_owners(clinic.actor, clinic.owner.pk, twin.pk)
    assert credit_of(clinic.owner) == Decimal(5)
    with pytest.raises(PermissionDenied):
        payments.deposit(actor_with("vet"), clinic.owner.pk, Decimal(5), "card")
    settings_of(clinic, refund_limit=Decimal(1))
    with pytest.raises(PermissionDenied):
        payments.deposit(actor_with("reception"), clinic.owner.pk, Decimal(-5), "card")
    assert AccountEntry.objects.count() == 1


def test_the_pages_take_deposits_and_use_credit(clinic: SimpleNamespace, client: Any) -> None:
    client.force_login(User.objects.get(pk=clinic.actor.user_id))
    address = f"/owners/{clinic.owner.pk}/account/"
    sent = {"amount": "50", "method": "cheque", "reference": "no. 7", "key": "a", "back": ""}
    assert client.post(address, sent).status_code == 302
    assert client.post(address, {**sent, "back": "back", "amount": "51", "key": "b"}).status_code == 422
    assert "$50.00" in client.get(f"/owners/{clinic.owner.pk}/").content.decode()
    bill = issued(clinic)
    page = client.get(bill.get_absolute_url()).content.decode()
    assert "Credit on account: $50.00" in page and 'value="account"' in page
    assert client.post(f"/invoices/{bill.pk}/pay/", {"amount": "11", "method": "account"}).status_code == 302
    other = issued(clinic)
    over = {"amount": "20", "method": "cash", "keep_rest": "on"}
    assert client.post(f"/invoices/{other.pk}/pay/", over).status_code == 302
    assert "Credit on account: $48.00" in client.get(address).content.decode()
    csv = b"".join(client.get("/takings/takings.csv").streaming_content).decode()
    assert "Deposit" in csv and "Cheque" in csv and "Credit on account" in csv


def test_a_deposit_has_a_receipt_in_the_clinics_language(clinic: SimpleNamespace, client: Any) -> None:
    settings_of(clinic, language="de")
    client.force_login(User.objects.get(username="test-manager"))
    got = payments.deposit(clinic.actor, clinic.owner.pk, Decimal("50.00"), "cash", reference="before surgery")
    back = payments.deposit(clinic.actor, clinic.owner.pk, Decimal("-20.00"), "transfer")

    def article(entry: AccountEntry) -> str:
        where = f"/owners/{clinic.owner.pk}/account/{entry.pk}/receipt/"
        assert f'href="{where}"' in client.get(f"/owners/{clinic.owner.pk}/account/").content.decode()
        return str(client.get(where).content.decode().split("<article")[1].split("</article")[0])

    taken, paid = article(got), article(back)
    assert ">Quittung<" in taken and "Müller" in taken and "before surgery" in taken and "50,00" in taken
    assert "Dankend erhalten" in taken and "Bar" in taken
    assert ">Quittung<" in paid and "Zurückgezahlt" in paid and "20,00" in paid and "-20" not in paid
    used = AccountEntry.objects.create(owner=clinic.owner, amount=Decimal(-1), at=timezone.now())
    client.raise_request_exception = False
    assert client.get(f"/owners/{clinic.owner.pk}/account/{used.pk}/receipt/").status_code == 404, "no money moved"
