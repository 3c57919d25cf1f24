"""A clinic in France: the mentions of a bill, and prescriptions with numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.test import Client

from clinic.models import Prescription
from clinic.services import billing, prescriptions, visits
from clinic.services.settings import change_settings
from tests.web.test_settings_page import WHO

DETAILS = "SELARL au capital de 10 000 €, RCS Lyon\nSIRET 123 456 789 00012"


@pytest.fixture(autouse=True)
def _in_france(settings: Any) -> None:
    settings.COUNTRY, settings.CURRENCY = "FR", "EUR"


def test_a_bill_has_the_mentions(clinic: SimpleNamespace, as_manager: Client) -> None:
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])
    page = as_manager.get(draft.get_absolute_url()).content.decode()
    assert "SIRET is missing" in page and "tax number is missing" in page
    own = {**WHO, "language": "fr", "legal_details": DETAILS, "tax_number": "FR12345678901"}
    change_settings(clinic.actor, 0, own)
    page = as_manager.get(draft.get_absolute_url()).content.decode()
    assert "Avant d’émettre" not in page and "SIRET 123 456 789 00012" in page
    bill = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
    paper = as_manager.get(bill.get_absolute_url()).content.decode()
    for words in ("Pas d’escompte", "40 euros", "Date de l’acte", "FR12345678901", "Hors taxe", "Total"):
        assert words in paper, words


def prescribe(clinic: SimpleNamespace, visit: Any, drug: str = "Drops") -> Prescription:
    fields: Dict[str, Any] = {"drug": drug, "dose": "1", "quantity": 1, "instructions": "-"}
    return prescriptions.prescribe(clinic.actor, visit.pk, fields)


def test_prescriptions_have_numbers_without_a_gap(clinic: SimpleNamespace, as_manager: Client) -> None:
    first, second = (visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet}) for _each in range(2))
    one, same, other = prescribe(clinic, first), prescribe(clinic, first, "Tablets"), prescribe(clinic, second)
    assert (one.number, same.number, other.number) == (1, 1, 2), "one paper for a visit"
    page = as_manager.get(f"/visits/{first.pk}/prescription/").content.decode()
    paper = page[page.index("<article") : page.index("</article>")]
    for words in ("000001", "Drops", "Tablets", "Dr Test", "Maren Müller", "Dog", "not to be repeated", "Withdrawal"):
        assert words in paper, words
    for each in (one, same):
        prescriptions.void_prescription(clinic.actor, each.pk, "wrong drug")
    assert prescribe(clinic, first).number == 3, "a paper that is void keeps its number"
    assert "Nothing was prescribed" not in as_manager.get(f"/visits/{first.pk}/prescription/").content.decode()


def test_before_a_visit_has_prescriptions_its_paper_says_so(clinic: SimpleNamespace, as_manager: Client) -> None:
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    assert "Nothing was prescribed" in as_manager.get(f"/visits/{visit.pk}/prescription/").content.decode()
