"""The till: what it should hold, a count that nobody changes, and corrections that give the reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from clinic.models import CashCount, Vet
from clinic.selectors.takings import takings
from clinic.selectors.till import counts, opening_of
from clinic.services import billing, crediting, payments, till, visits
from tests.test_billing import issued
from tests.web.conftest import roles_that_may
from vetclinic.errors import Conflict, Locked


def day_of_cash(clinic: SimpleNamespace) -> None:
    """20.00 of cash that stays: 11 and 10 taken, 1 by mistake and undone, and a card payment."""
    first, second = issued(clinic), issued(clinic)
    payments.take_payment(clinic.actor, first.pk, Decimal(10), "cash")
    wrong = payments.take_payment(clinic.actor, first.pk, Decimal(1), "cash")
    payments.reverse_payment(clinic.actor, wrong.pk, "card was meant")
    payments.take_payment(clinic.actor, second.pk, Decimal(10), "cash")
    payments.take_payment(clinic.actor, second.pk, Decimal(1), "card")


def test_a_count_is_beside_what_the_till_should_hold(clinic: SimpleNamespace) -> None:
    day_of_cash(clinic)
    amounts: Any = {"opening": Decimal(100), "withdrawn": Decimal(50)}
    with pytest.raises(ValidationError, match="give the reason"):
        till.count_cash(clinic.actor, timezone.localdate(), counted=Decimal("69.50"), **amounts)
    count = till.count_cash(clinic.actor, timezone.localdate(), counted=Decimal("69.50"), reason="change", **amounts)
    assert (count.taken, count.expected, count.difference) == (Decimal(20), Decimal(70), Decimal("-0.50"))
    assert opening_of(timezone.localdate() + timedelta(days=1)) == Decimal("69.50")


def test_a_count_cannot_be_changed_only_corrected(clinic: SimpleNamespace) -> None:
    today = timezone.localdate()
    nothing: Any = {"opening": Decimal(0)}
    first = till.count_cash(clinic.actor, today, counted=Decimal(5), reason="found", **nothing)
    with pytest.raises(ValidationError, match="already been counted"):
        till.count_cash(clinic.actor, today, counted=Decimal(0), **nothing)
    first.counted = Decimal(0)
    with pytest.raises(Locked):
        first.save()
    with pytest.raises(Locked):
        first.delete()
    with pytest.raises(ValidationError, match="reason"):
        till.correct_count(clinic.actor, first.pk, counted=Decimal(0), reason=" ", **nothing)
    right = till.correct_count(clinic.actor, first.pk, counted=Decimal(0), reason="miscounted", **nothing)
    assert [count.pk for count in counts()] == [right.pk]
    with pytest.raises(Conflict, match="already been corrected"):
        till.correct_count(clinic.actor, first.pk, counted=Decimal(1), reason="again", **nothing)
    assert CashCount.objects.get(pk=first.pk).counted == Decimal(5), "what was recorded stays"


@pytest.mark.postgresql
def test_postgresql_refuses_a_change_of_a_count(clinic: SimpleNamespace) -> None:
    count = till.count_cash(clinic.actor, timezone.localdate(), opening=Decimal(1), counted=Decimal(1))
    for statement in ("UPDATE clinic_cashcount SET counted = 2", "DELETE FROM clinic_cashcount"):
        with pytest.raises(DatabaseError, match="final"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert CashCount.objects.get(pk=count.pk).counted == Decimal(1)


def test_who_may_count_and_when(clinic: SimpleNamespace, actor_with: Any, client_of: Any) -> None:
    with pytest.raises(PermissionDenied):
        till.count_cash(actor_with("vet"), timezone.localdate(), opening=Decimal(0), counted=Decimal(0))
    tomorrow = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ValidationError, match="future"):
        till.count_cash(clinic.actor, tomorrow, opening=Decimal(0), counted=Decimal(0))
    assert roles_that_may(client_of, "/takings/till/") == [Role.RECEPTION, Role.MANAGER]


def test_the_page_counts_and_corrects(clinic: SimpleNamespace, client_of: Any) -> None:
    day_of_cash(clinic)
    desk: Client = client_of(Role.RECEPTION)
    sent = {"opening": "100", "withdrawn": "0", "counted": "119", "reason": ""}
    refused = desk.post("/takings/till/", sent)
    assert refused.status_code == 422 and "give the reason" in refused.content.decode()
    assert desk.post("/takings/till/", {**sent, "reason": "a coin"}).status_code == 302
    page = desk.get("/takings/till/").content.decode()
    assert "Difference" in page and "-$1.00" in page and "Record the count" not in page
    correcting = desk.get("/takings/till/", {"correct": 1})
    held = correcting.context["form"].initial
    assert held["counted"] == Decimal(119), "a correction starts from what was counted"
    corrected = {**sent, "counted": "120", "reason": "coin found", "corrects": held["corrects"]}
    assert desk.post("/takings/till/?correct=1", corrected).status_code == 302
    page = desk.get("/takings/till/").content.decode()
    assert "coin found" in page and "a coin" in page, "both stay readable"
    assert "coin found" in desk.get("/takings/").content.decode()
    payments.take_payment(clinic.actor, issued(clinic).pk, Decimal(3), "cash")
    assert "changed by $3.00" in desk.get("/takings/till/").content.decode()
    assert desk.get("/takings/till/", {"day": "nonsense"}).status_code == 200


def test_production_is_the_vets_whose_work_it_was(clinic: SimpleNamespace, actor_with: Any) -> None:
    other = Vet.objects.create(name="Dr Other", user_id=actor_with("vet").user_id)
    visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    lines = [
        billing.Line(product=clinic.product, pet_id=clinic.pet.pk),  # of today's visit
        billing.Line(product=clinic.product, quantity=Decimal(2)),  # of the vet who writes
        billing.Line(product=clinic.product, quantity=Decimal(4), pet_id=clinic.pet.pk, vet_id=other.pk),
    ]
    draft = billing.draft_invoice(actor_with("vet"), clinic.owner.pk, lines)
    bill = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
    issued(clinic)
    today = timezone.localdate()
    assert {each.vet: (each.net, each.bills) for each in takings(today, today).vets} == {
        "Dr Other": (Decimal(60), 1),
        "Dr Test": (Decimal(10), 1),
        "": (Decimal(10), 1),
    }
    crediting.credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    assert {each.vet: each.net for each in takings(today, today).vets} == {"Dr Other": 0, "Dr Test": 0, "": 10}


def test_today_leads_those_to_the_till_who_may_count_it(clinic: SimpleNamespace, client_of: Any) -> None:
    led = [role for role in Role.values if "/takings/till/" in client_of(role).get("/").content.decode()]
    assert led == roles_that_may(client_of, "/takings/till/") == [Role.RECEPTION, Role.MANAGER]
