"""Lots of vaccines are typed once, kept with their expiry, and chosen from then on."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from clinic.models import Vaccination, VaccineLot
from clinic.services.pets import create_pet
from clinic.services.vaccination import record_vaccination

SOON = timezone.now().date() + timedelta(days=200)


def give(clinic: SimpleNamespace, day: date, **details: Any) -> Vaccination:
    fields: Dict[str, Any] = {"vet": clinic.vet, "lot": "A-17", **details}
    return record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, day, fields)


def test_a_lot_is_typed_once_and_chosen_then(clinic: SimpleNamespace, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    today = timezone.localdate()
    address = f"/pets/{clinic.pet.pk}/vaccinations/new/"
    sent = {"vaccine": clinic.vaccine.pk, "given_on": today - timedelta(days=20), "vet": clinic.vet.pk}
    typed = {**sent, "lot": " A-17 ", "lot_expiry": SOON}
    assert client.post(address, typed).status_code == 302
    lot = VaccineLot.objects.get()
    assert (lot.vaccine, lot.number, lot.expires_on) == (clinic.vaccine, "A-17", SOON)
    assert "Test rabies · A-17" in client.get(address).content.decode()
    assert client.post(address, {**sent, "given_on": today, "known_lot": lot.pk}).status_code == 302
    second = Vaccination.objects.first()
    assert second is not None and (second.lot, second.lot_expiry) == ("A-17", SOON)
    assert VaccineLot.objects.count() == 1
    both = client.post(address, {**sent, "known_lot": lot.pk, "lot": "B-1"})
    assert both.status_code == 422 and "not both" in both.content.decode()


def test_what_is_used_up_or_expired_is_not_offered(clinic: SimpleNamespace, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    yesterday = timezone.localdate() - timedelta(days=1)
    VaccineLot.objects.create(vaccine=clinic.vaccine, number="OLD", expires_on=yesterday)
    VaccineLot.objects.create(vaccine=clinic.vaccine, number="EMPTY", expires_on=SOON, active=False)
    VaccineLot.objects.create(vaccine=clinic.vaccine, number="GOOD", expires_on=SOON)
    page = client.get(f"/pets/{clinic.pet.pk}/vaccinations/new/").content.decode()
    assert "GOOD" in page and "OLD" not in page and "EMPTY" not in page
    assert "GOOD" in client.get("/lists/lots/").content.decode(), "a manager sees and corrects the list"


def test_an_expiry_that_contradicts_the_kept_one_is_asked_about(clinic: SimpleNamespace) -> None:
    today = timezone.localdate()
    give(clinic, today - timedelta(days=9))
    give(clinic, today - timedelta(days=8), lot_expiry=SOON)
    assert VaccineLot.objects.get().expires_on == SOON, "an expiry that was not known is filled in"
    with pytest.raises(ValidationError) as refused:
        give(clinic, today - timedelta(days=7), lot_expiry=SOON + timedelta(days=1))
    assert list(refused.value.message_dict) == ["lot_expiry"]
    assert give(clinic, today - timedelta(days=6)).lot_expiry == SOON, "and is not typed again"
    VaccineLot.objects.update(expires_on=today - timedelta(days=5))
    with pytest.raises(ValidationError, match="expired"):
        give(clinic, today)


def test_what_another_clinic_gave_is_no_lot_of_ours(clinic: SimpleNamespace) -> None:
    give(clinic, timezone.localdate(), given_elsewhere=True, vet=None)
    assert not VaccineLot.objects.exists()


def test_a_lot_of_another_species_is_not_offered(clinic: SimpleNamespace, client: Any) -> None:
    from clinic.models import Species

    client.force_login(User.objects.get(username="test-manager"))
    VaccineLot.objects.create(vaccine=clinic.vaccine, number="GOOD", expires_on=SOON)
    cat = create_pet(clinic.actor, clinic.owner.pk, {"name": "Tom", "species": Species.objects.get(name="Cat")})
    assert "GOOD" not in client.get(f"/pets/{cat.pk}/vaccinations/new/").content.decode()
