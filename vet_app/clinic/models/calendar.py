"""Vets and their appointments."""

from __future__ import annotations

from typing import ClassVar, FrozenSet

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic import opening
from clinic.models.base import VersionedRecord
from clinic.models.pet import Pet
from vetclinic.constraints import check


class Vet(VersionedRecord):
    """Somebody who sees animals and so has a column in the calendar."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="vet",
        verbose_name=_("user"),
    )
    name = models.CharField(_("name"), max_length=80)
    licence = models.CharField(_("licence number"), max_length=40, blank=True)
    colour = models.CharField(_("colour"), max_length=20, default="teal")
    active = models.BooleanField(_("active"), default=True)
    hours = models.CharField(
        _("hours of work"), max_length=200, blank=True, validators=[opening.check],
        help_text=_("For example: Mo-Th 08:00-12:00, 13:00-17:00; Fr 08:00-12:00. Leave empty for the clinic's hours."),
    )  # fmt: skip
    booking_seq = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = _("vet")
        verbose_name_plural = _("vets")

    def __str__(self) -> str:
        return self.name


class DaysOff(VersionedRecord):
    """Days on which a vet is away, or without one on which the clinic is closed."""

    vet = models.ForeignKey(
        Vet, null=True, blank=True, on_delete=models.PROTECT, related_name="days_off", verbose_name=_("vet"),
        help_text=_("Leave empty if the whole clinic is closed."),
    )  # fmt: skip
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    reason = models.CharField(_("reason"), max_length=120)
    active = models.BooleanField(_("active"), default=True)

    refusals: ClassVar = {"days_off_end_after_first": ("last_day", _("The last day is before the first."))}

    class Meta:
        ordering: ClassVar = ["-first_day", "id"]
        verbose_name = _("days off")
        verbose_name_plural = _("days off")
        constraints: ClassVar = [check(Q(last_day__gte=F("first_day")), "days_off_end_after_first")]

    def __str__(self) -> str:
        return f"{self.vet or _('Closed')}: {self.reason}"


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    """Appointments by what they mean for the calendar."""

    def occupying(self) -> AppointmentQuerySet:
        """Those that take up the vet's time."""
        return self.exclude(status__in=Appointment.FREE)


class Appointment(VersionedRecord):
    """A stretch of a vet's time, `starts_at` to before `ends_at`. Without a pet it is a block or a new client.

    Two occupying appointments of a vet overlap only where one is `overbooked`; PostgreSQL guarantees it by the
    exclusion constraint `appointment_no_overlap` (migration 0002).
    """

    class Kind(models.TextChoices):
        """What it is for."""

        CONSULTATION = "consult", _("Consultation")
        VACCINATION = "vaccination", _("Vaccination")
        SURGERY = "surgery", _("Surgery")
        FOLLOW_UP = "follow_up", _("Follow-up")
        BLOCK = "block", _("Not available")

    class Status(models.TextChoices):
        """Where it stands, from the telephone to the door."""

        BOOKED = "booked", _("Booked")
        CONFIRMED = "confirmed", _("Confirmed")
        ARRIVED = "arrived", _("Waiting")
        WITH_VET = "with_vet", _("With the vet")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        NO_SHOW = "no_show", _("Did not come")

    FREE: ClassVar[FrozenSet[str]] = frozenset({"cancelled", "no_show"})

    vet = models.ForeignKey(Vet, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("vet"))
    pet = models.ForeignKey(
        Pet, null=True, blank=True, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("pet")
    )
    client_note = models.CharField(_("new client"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.CONSULTATION)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.BOOKED, editable=False)
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    done_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    overbooked = models.BooleanField(_("double booked on purpose"), default=False, editable=False)
    overbook_reason = models.CharField(_("reason for double booking"), max_length=200, blank=True)

    objects = AppointmentQuerySet.as_manager()

    refusals: ClassVar = {
        "appointment_ends_after_start": ("ends_at", _("The appointment ends before it starts.")),
        "appointment_override_has_reason": ("override_reason", _("Please give a reason.")),
    }

    class Meta:
        ordering: ClassVar = ["starts_at", "id"]
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        indexes: ClassVar = [
            models.Index(fields=["vet", "starts_at"], name="appointment_vet_start"),
            models.Index(fields=["starts_at"], name="appointment_start"),
        ]
        constraints: ClassVar = [
            check(Q(ends_at__gt=F("starts_at")), "appointment_ends_after_start"),
            check(Q(overbooked=False) | ~Q(overbook_reason=""), "appointment_override_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.starts_at):%Y-%m-%d %H:%M} {self.vet}"

    @property
    def who(self) -> str:
        """The pet, the new client's note, or the kind of block."""
        return str(self.pet) if self.pet else self.client_note or str(self.get_kind_display())
