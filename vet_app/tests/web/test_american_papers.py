"""A clinic in the USA: the rabies certificate, the label, and the log of controlled drugs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from clinic.models import ControlledDrug, DrugEntry, Vaccination
from clinic.selectors.drug_log import balance_of
from clinic.selectors.rabies import form_51
from clinic.services import drug_log, prescriptions, visits, weighing
from clinic.services.vaccination import record_vaccination
from vetclinic.errors import Locked

TODAY = timezone.now().date()


@pytest.fixture(autouse=True)
def _in_the_usa(settings: Any) -> None:
    settings.COUNTRY = "US"


def vaccinated(clinic: SimpleNamespace, days: int = 0, **details: Any) -> Vaccination:
    given = timezone.localdate() - timedelta(days=days)
    fields: Dict[str, Any] = {"vet": clinic.vet, "lot": "S-1", "tag": "T9", **details}
    return record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, given, fields)


def test_the_rabies_certificate_has_the_fields_of_form_51(clinic: SimpleNamespace, as_manager: Client) -> None:
    clinic.pet.birth_date = timezone.localdate() - timedelta(days=200)
    clinic.pet.save()
    visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": Decimal("12.4")})
    first = vaccinated(clinic, trade_name="Rabvac 1")
    page = as_manager.get(first.get_absolute_url()).content.decode()
    for words in ("Rabies vaccination certificate", "20 to 50 lb", "initial dose", "1 year", "Rabvac 1", "S-1", "T9",
                  "6 months", "NASPHV Form 51", "Predominant breed"):  # fmt: skip
        assert words in page, words


def test_first_or_booster_follows_the_record_unless_somebody_knows_better(clinic: SimpleNamespace) -> None:
    old, new = vaccinated(clinic, days=400), vaccinated(clinic)
    assert form_51(old).first_dose and not form_51(new).first_dose
    known = vaccinated(clinic, days=200, first_dose=True)
    assert form_51(known).first_dose, "what came before was of another animal, say"


@pytest.mark.parametrize(
    ("kg", "size"), [("9.071", "small"), ("9.072", "medium"), ("22.679", "medium"), ("22.68", "large"), (None, "")]
)
def test_the_size_is_that_of_the_last_weight(clinic: SimpleNamespace, kg: Any, size: str) -> None:
    visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": kg and Decimal(kg)})
    assert form_51(vaccinated(clinic)).size == size


def test_a_weight_without_a_visit_says_the_size_too(clinic: SimpleNamespace) -> None:
    visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": Decimal(30)})
    row = weighing.weigh(clinic.actor, clinic.pet.pk, Decimal(5))
    given = vaccinated(clinic)
    assert form_51(given).size == "small", "the last weight counts, wherever it was taken"
    weighing.mark_entered_in_error(clinic.actor, row.pk, "another dog")
    assert form_51(given).size == "large"


def test_elsewhere_the_certificate_stays_as_it_is(clinic: SimpleNamespace, as_manager: Client, settings: Any) -> None:
    settings.COUNTRY = "DE"
    assert "NASPHV" not in as_manager.get(vaccinated(clinic).get_absolute_url()).content.decode()


def prescribed(clinic: SimpleNamespace, **fields: Any) -> Any:
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    drug: Dict[str, Any] = {"drug": "Tramadol", "strength": "50 mg", "dose": "1 tablet twice a day", "quantity": 10,
                            "unit": "tablets", "instructions": "With food"}  # fmt: skip
    return prescriptions.prescribe(clinic.actor, visit.pk, {**drug, **fields})


def test_the_label_says_what_530_12_asks(clinic: SimpleNamespace, as_manager: Client) -> None:
    prescription = prescribed(
        clinic, route="by mouth", duration="for 5 days", cautions="May cause drowsiness", withdrawal="7 days",
        controlled=True,
    )  # fmt: skip
    page = as_manager.get(f"/prescriptions/{prescription.pk}/label/").content.decode()
    label = page[page.index("<article") : page.index("</article>")]
    for words in ("12 Willow Lane", "Dr Test", "Tramadol 50 mg", "Dog", "1 tablet twice a day, by mouth, for 5 days",
                  "May cause drowsiness", "7 days", "federal law prohibits"):  # fmt: skip
        assert words in label, words


@pytest.fixture
def drug(clinic: SimpleNamespace) -> ControlledDrug:
    """Ketamine with 10 ml in the safe."""
    drug = ControlledDrug.objects.create(name="Ketamine", strength="100 mg/ml")
    drug_log.enter(clinic.actor, drug.pk, "received", Decimal(10), whom="Supplier, DEA RS0000000", reference="222-1")
    return drug


def test_the_log_has_balances_that_follow_from_each_other(clinic: SimpleNamespace, drug: ControlledDrug) -> None:
    prescription = prescribed(clinic, controlled=True)
    entry = drug_log.enter(clinic.actor, drug.pk, "dispensed", Decimal("0.3"), prescription_id=prescription.pk)
    assert entry.balance == Decimal("9.7") and "Maren Müller" in entry.whom and "Biscuit (Dog)" in entry.whom
    with pytest.raises(ValidationError, match="cannot take out more"):
        drug_log.enter(clinic.actor, drug.pk, "dispensed", Decimal("9.8"), whom="somebody")
    with pytest.raises(ValidationError, match="patient and owner"):
        drug_log.enter(clinic.actor, drug.pk, "dispensed", Decimal(1))
    assert balance_of(drug) == Decimal("9.7")
    entry.change = Decimal(0)
    for final in (entry.save, entry.delete):
        with pytest.raises(Locked):
            final()


@pytest.mark.parametrize("kind", ["wasted", "counted"])
def test_waste_and_a_count_that_differs_need_a_witness_and_a_reason(
    clinic: SimpleNamespace, drug: ControlledDrug, kind: str
) -> None:
    other = User.objects.create(username="vera", role=Role.VET, first_name="Vera", last_name="Lund")
    with pytest.raises(ValidationError) as refused:
        drug_log.enter(clinic.actor, drug.pk, kind, Decimal(2))
    assert set(refused.value.message_dict) == {"witness", "reason"}
    self_made = User.objects.get(pk=clinic.actor.user_id)
    with pytest.raises(ValidationError, match="another person"):
        drug_log.enter(clinic.actor, drug.pk, kind, Decimal(2), reason="Vial broke", witness=self_made)
    entry = drug_log.enter(clinic.actor, drug.pk, kind, Decimal(2), reason="Vial broke", witness=other)
    assert (entry.witness, entry.balance) == ("Vera Lund", Decimal(8) if kind == "wasted" else Decimal(2))
    same = drug_log.enter(clinic.actor, drug.pk, "counted", entry.balance)
    assert (same.change, same.witness) == (0, ""), "a count that agrees needs nobody else"


def test_the_witness_confirms_with_the_own_password(
    clinic: SimpleNamespace, drug: ControlledDrug, client_of: Any
) -> None:
    vet: Client = client_of(Role.VET)
    other = User.objects.create(username="vera", role=Role.VET)
    other.set_password("a-long-enough-word")
    other.save()
    address = f"/drugs/{drug.pk}/"
    sent = {"kind": "wasted", "quantity": "1", "reason": "Vial broke", "witness": other.pk, "password": "guess"}
    refused = vet.post(address, sent)
    assert refused.status_code == 422 and "not the password of the witness" in refused.content.decode()
    assert vet.post(address, {**sent, "password": "a-long-enough-word"}).status_code == 302
    page = vet.get(address).content.decode()
    assert "vera" in page and "Vial broke" in page and "Supplier, DEA RS0000000" in page
    assert "Ketamine 100 mg/ml" in vet.get("/drugs/").content.decode()
    assert client_of(Role.RECEPTION).get("/drugs/").status_code == 403
    assert DrugEntry.objects.count() == 2


def test_a_prescription_leads_to_the_log(clinic: SimpleNamespace, drug: ControlledDrug, as_manager: Client) -> None:
    prescription = prescribed(clinic, controlled=True)
    assert (
        f"/drugs/?prescription={prescription.pk}"
        in as_manager.get(f"/prescriptions/{prescription.pk}/label/").content.decode()
    )
    assert (
        f"/drugs/{drug.pk}/?prescription={prescription.pk}"
        in as_manager.get(f"/drugs/?prescription={prescription.pk}").content.decode()
    )
    address = f"/drugs/{drug.pk}/?prescription={prescription.pk}"
    form = as_manager.get(address).context["form"]
    assert (form["quantity"].value(), form["prescription"].value()) == (Decimal(10), prescription.pk)
    sent = {"kind": "dispensed", "quantity": "10", "prescription": prescription.pk}
    assert as_manager.post(address, sent).status_code == 302
    entry = DrugEntry.objects.first()
    assert entry is not None
    assert entry.prescription == prescription
