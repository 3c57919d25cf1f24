"""The clinic's own page: it wins over the environment, and says who may bill and take back what."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from audit.actor import Actor
from audit.models import AuditEntry
from clinic.models import ClinicSettings
from clinic.selectors.settings import clinic_settings
from clinic.services import billing, crediting, payments
from clinic.services.settings import change_settings
from tests.test_billing import issued
from tests.web.conftest import roles_that_may
from vetclinic.errors import Changed

WHO: Dict[str, Any] = {"name": "Hillside Vets", "address": "1 Hill Road\nHilltown", "phone": "555-0199"}
KEPT: Dict[str, Any] = {"second_factor": "optional", "session_hours": 12}
"""Fields that the page holds filled in, for tests that send others."""


def save(clinic: SimpleNamespace, **fields: Any) -> ClinicSettings:
    return change_settings(clinic.actor, clinic_settings().version, {**WHO, **fields})


def test_the_environment_fills_the_page_and_then_the_page_wins(clinic: SimpleNamespace, client_of: Any) -> None:
    assert roles_that_may(client_of, "/settings/") == [Role.MANAGER]
    manager: Client = client_of(Role.MANAGER)
    page = manager.get("/settings/").content.decode()
    assert "Willow Lane Veterinary Clinic" in page, "what the environment says"
    units = {**KEPT, "weight_unit": "kg", "temperature_unit": "c"}
    sent = {**WHO, **units, "tax_number": "DE123456789", "version": 0}
    assert manager.post("/settings/", {**sent, "name": ""}).status_code == 422
    assert manager.post("/settings/", sent).status_code == 302
    bill = manager.get(issued(clinic).get_absolute_url()).content.decode()
    assert "Hillside Vets" in bill and "Hilltown" in bill and "DE123456789" in bill and "Willow Lane" not in bill
    assert manager.post("/settings/", {**sent, "name": "Late"}).status_code == 409, "saved by somebody else since"
    assert clinic_settings().name == "Hillside Vets"
    assert AuditEntry.objects.filter(object_type="clinicsettings").count() == 1
    with pytest.raises(Changed):
        change_settings(clinic.actor, 0, WHO)


def test_a_vet_bills_where_the_clinic_allows_it(clinic: SimpleNamespace, client_of: Any) -> None:
    vet: Client = client_of(Role.VET)
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])
    assert vet.post(f"/invoices/{draft.pk}/issue/", {"version": draft.version}).status_code == 403
    save(clinic, vets_may_bill=True)
    assert vet.post(f"/invoices/{draft.pk}/issue/", {"version": draft.version}).status_code == 302
    paid = vet.post(f"/invoices/{draft.pk}/pay/", {"amount": "11", "method": "card", "key": "k"})
    assert paid.status_code == 302 and "Takings" in vet.get("/invoices/").content.decode()
    assert client_of(Role.READONLY).post(f"/invoices/{draft.pk}/void/").status_code == 403
    retired = User.objects.create(username="retired", role=Role.VET, is_active=False)
    assert not Actor.of_user(retired).rights, "who left may do nothing, whatever the clinic allows"


def test_above_a_limit_a_manager_is_needed(clinic: SimpleNamespace, actor_with: Any) -> None:
    desk = actor_with(Role.RECEPTION)
    save(clinic, void_limit=Decimal("10.99"), credit_limit=Decimal(0), refund_limit=Decimal(5))
    bill = issued(clinic)
    with pytest.raises(PermissionDenied, match=r"10\.99"):
        billing.void_invoice(desk, bill.pk, bill.version, "slip")
    with pytest.raises(PermissionDenied, match="only a manager"):
        crediting.credit_invoice(desk, bill.pk, bill.version, "slip")
    assert not bill.credits.exists(), "a refusal leaves no credit note and takes no number"
    taken = payments.take_payment(desk, bill.pk, Decimal(6), "cash")
    with pytest.raises(PermissionDenied):
        payments.reverse_payment(desk, taken.pk, "slip")
    payments.take_payment(desk, bill.pk, Decimal(5), "card")
    bill.refresh_from_db()
    note = crediting.credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    assert note.number == (bill.number or 0) + 1
    with pytest.raises(PermissionDenied):
        payments.refund(desk, bill.pk, Decimal("5.01"), "card")
    payments.refund(desk, bill.pk, Decimal(5), "card")
    payments.refund(clinic.actor, bill.pk, Decimal(6), "card")
