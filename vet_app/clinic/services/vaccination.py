"""Recording vaccinations and correcting wrong entries; the reminder of the group follows each time."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import Pet, Vaccination, Vaccine, VaccineLot
from clinic.services import records
from clinic.services.reminders import refresh_reminder
from vetclinic.errors import Conflict

DETAILS = {"vet", "given_elsewhere", "first_dose", "trade_name", "manufacturer", "lot", "lot_expiry", "tag", "visit"}


class GivenAlready(Conflict):
    """The pet has got this vaccine on this day already, which is nearly always the same injection recorded twice."""

    code = "given_already"


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of a month that is too short."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def record_vaccination(
    actor: Actor,
    pet_id: int,
    vaccine_id: int,
    given_on: date,
    details: records.Fields,
    *,
    due_on: Optional[date] = None,
    again: bool = False,
) -> Vaccination:
    """Record an injection. The next one is due after the vaccine's interval unless `due_on` says otherwise.

    What was given here needs the vet and the lot, which is kept for the next time; one that had expired is refused.
    Where somebody else than a vet records it, `vet` is who ordered it, and `given_by` keeps who gave it.
    Raises GivenAlready for the same vaccine on the same day, unless `again` says that it is meant.
    """
    actor.require(Right.VACCINATE)
    with transaction.atomic():
        pet = records.lock(Pet, pet_id)
        vaccine = records.lock(Vaccine, vaccine_id)
        if due_on is None and vaccine.interval_months:
            due_on = add_months(given_on, vaccine.interval_months)
        vaccination = Vaccination(pet=pet, vaccine=vaccine, given_on=given_on, due_on=due_on)
        records.assign(vaccination, details, DETAILS)
        vaccination.product = None if vaccination.given_elsewhere else vaccine.product
        vaccination.manufacturer = vaccination.manufacturer or vaccine.manufacturer
        vaccination.trade_name = vaccination.trade_name or vaccine.trade_name
        if not vaccination.given_elsewhere and not actor.may(Right.CLINICAL):
            vaccination.given_by = actor.name
        lot = _known_lot(vaccination)
        check(vaccination)
        if not again:
            _refuse_twice(vaccination)
        records.create(actor, vaccination, {}, DETAILS)
        if lot is not None:
            _keep_lot(actor, lot, vaccination)
        refresh_reminder(actor, pet, vaccine.group)
    return vaccination


def _known_lot(vaccination: Vaccination) -> Optional[VaccineLot]:
    """The lot as it is kept, or a new one; None where another clinic gave it. Fills in when a kept one expires.

    The vaccine's row is locked, so that two people who use a new lot first keep it once.
    """
    vaccination.lot = vaccination.lot.strip()
    if vaccination.given_elsewhere or not vaccination.lot:
        return None
    lot, expiry = VaccineLot(vaccine=vaccination.vaccine, number=vaccination.lot), vaccination.lot_expiry
    lot = VaccineLot.objects.filter(vaccine=vaccination.vaccine, number=vaccination.lot).first() or lot
    if lot.expires_on and expiry and lot.expires_on != expiry:
        placeholders = {"lot": lot, "day": date_format(lot.expires_on, "SHORT_DATE_FORMAT")}
        raise ValidationError(
            {
                "lot_expiry": [
                    _("Lot %(lot)s is on the list with the expiry date %(day)s. Check the vial, or correct the list.")
                    % placeholders
                ]
            }
        )
    vaccination.lot_expiry = expiry or lot.expires_on
    return lot


def _keep_lot(actor: Actor, lot: VaccineLot, vaccination: Vaccination) -> None:
    if lot.pk is None:
        lot.expires_on = vaccination.lot_expiry
        records.create(actor, lot, {}, set())
    elif lot.expires_on != vaccination.lot_expiry:
        fields = {"expires_on": vaccination.lot_expiry}
        records.update(actor, VaccineLot, lot.pk, lot.version, fields, {"expires_on"})


def _refuse_twice(vaccination: Vaccination) -> None:
    """The pet's row is locked, so that two people who record the same injection at once are asked, too."""
    same = Vaccination.objects.filter(
        pet=vaccination.pet, vaccine=vaccination.vaccine, given_on=vaccination.given_on, entered_in_error=False
    )
    known = same.first()
    if known is not None:
        placeholders = {
            "vaccine": known.vaccine,
            "pet": known.pet,
            "day": date_format(known.given_on, "SHORT_DATE_FORMAT"),
        }
        sentence = _("%(vaccine)s on %(day)s is already recorded for %(pet)s.") % placeholders
        if known.lot:
            sentence += " " + _("Lot: %(lot)s.") % {"lot": known.lot}
        raise GivenAlready(sentence)


def change_due_date(actor: Actor, vaccination_id: int, version: int, due_on: Optional[date]) -> Vaccination:
    """Set when the next vaccination is due, None for never."""
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        vaccination = records.lock(Vaccination, vaccination_id, version)
        before = snapshot(vaccination)
        vaccination.due_on = due_on
        records.save_changes(actor, vaccination, before)
        refresh_reminder(actor, vaccination.pet, vaccination.vaccine.group)
    return vaccination


def mark_entered_in_error(actor: Actor, vaccination_id: int, version: int, reason: str) -> Vaccination:
    """Take back a wrong entry; it stays readable, and the reminder follows the newest one that is left."""
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        vaccination = records.lock(Vaccination, vaccination_id, version)
        before = snapshot(vaccination)
        vaccination.entered_in_error = True
        vaccination.error_reason = records.require_reason("reason", reason)
        records.save_changes(actor, vaccination, before, AuditEntry.Action.VOID)
        refresh_reminder(actor, vaccination.pet, vaccination.vaccine.group)
    return vaccination


def check(vaccination: Vaccination) -> None:
    """Raise ValidationError by field for what no injection can be; no query where the relations are loaded."""
    errors = {}
    if vaccination.given_on > timezone.localdate():
        errors["given_on"] = [_("This date is in the future.")]
    if vaccination.vaccine.species_id != vaccination.pet.species_id:
        errors["vaccine"] = [_("This vaccine is not for this species.")]
    if not vaccination.given_elsewhere:
        if vaccination.vet_id is None:
            errors["vet"] = [_("Who gave it?")]
        if not vaccination.lot.strip():
            errors["lot"] = [_("The lot number is needed to trace a recall.")]
    if vaccination.lot_expiry and vaccination.lot_expiry < vaccination.given_on:
        errors["lot_expiry"] = [_("This lot had expired when it was given.")]
    if vaccination.visit is not None and vaccination.visit.pet_id != vaccination.pet_id:
        errors["visit"] = [_("This visit is of another pet.")]
    if vaccination.visit is not None and vaccination.visit.entered_in_error:
        errors["visit"] = [_("This visit is marked as entered in error. Start a new visit instead.")]
    if errors:
        raise ValidationError(errors)
