"""Vaccines, the vaccinations given, and the reminders that follow from them."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record, VersionedRecord
from clinic.models.calendar import Appointment, Vet
from clinic.models.pet import Pet, Species
from clinic.models.visit import Visit
from clinic.reference import translated_name
from vetclinic.constraints import check


class Vaccine(VersionedRecord):
    """A vaccine. Vaccines of one `group` replace one another: the newest of a group decides when the next is due."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    group = models.SlugField(_("group"), max_length=40)
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="vaccines", verbose_name=_("species"))
    interval_months = models.PositiveSmallIntegerField(_("repeat after (months)"), null=True, blank=True)
    trade_name = models.CharField(_("product name"), max_length=80, blank=True, default="")
    manufacturer = models.CharField(_("manufacturer"), max_length=80, blank=True)
    active = models.BooleanField(_("active"), default=True)
    product = models.ForeignKey(
        "clinic.Product", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("billed as"),
        help_text=_("Added to the bill of a visit with this vaccine. Leave empty to bill nothing."),
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["species__name", "name"]
        verbose_name = _("vaccine")
        verbose_name_plural = _("vaccines")

    def __str__(self) -> str:
        return translated_name(self.name)


class VaccineLot(VersionedRecord):
    """A lot of a vaccine that the clinic has; vaccinations keep copies of its number and of when it expires."""

    vaccine = models.ForeignKey(Vaccine, on_delete=models.PROTECT, related_name="lots", verbose_name=_("vaccine"))
    number = models.CharField(_("lot number"), max_length=40)
    expires_on = models.DateField(_("lot expires"), null=True, blank=True)
    active = models.BooleanField(_("active"), default=True)

    refusals: ClassVar = {"vaccine_lot_once": ("number", _("This lot of the vaccine is already on the list."))}

    class Meta:
        ordering: ClassVar = ["vaccine__name", "expires_on", "number"]
        verbose_name = _("lot of a vaccine")
        verbose_name_plural = _("lots of vaccines")
        constraints: ClassVar = [models.UniqueConstraint(fields=["vaccine", "number"], name="vaccine_lot_once")]

    def __str__(self) -> str:
        return self.number


class Vaccination(VersionedRecord):
    """One injection. A wrong entry is marked `entered_in_error`, never deleted."""

    pet = models.ForeignKey(Pet, on_delete=models.PROTECT, related_name="vaccinations", verbose_name=_("pet"))
    vaccine = models.ForeignKey(
        Vaccine, on_delete=models.PROTECT, related_name="vaccinations", verbose_name=_("vaccine")
    )
    given_on = models.DateField(_("given on"))
    vet = models.ForeignKey(
        Vet, null=True, blank=True, on_delete=models.PROTECT, related_name="vaccinations", verbose_name=_("vet")
    )
    given_by = models.CharField(_("given by"), max_length=150, blank=True, default="", editable=False)
    """Who gave it on the vet's order; empty where the vet did."""
    given_elsewhere = models.BooleanField(_("given elsewhere"), default=False)
    first_dose = models.BooleanField(
        _("first dose"), null=True, blank=True,
        choices=[(None, _("as recorded here")), (True, _("first dose")), (False, _("booster"))],
    )  # fmt: skip
    trade_name = models.CharField(_("product name"), max_length=80, blank=True, default="")
    manufacturer = models.CharField(_("manufacturer"), max_length=80, blank=True)
    lot = models.CharField(_("lot number"), max_length=40, blank=True)
    lot_expiry = models.DateField(_("lot expires"), null=True, blank=True)
    tag = models.CharField(_("tag"), max_length=30, blank=True, db_index=True)
    due_on = models.DateField(_("next due"), null=True, blank=True)
    visit = models.ForeignKey(
        Visit, null=True, blank=True, on_delete=models.PROTECT, related_name="vaccinations", verbose_name=_("visit")
    )
    product = models.ForeignKey(
        "clinic.Product", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("billed as"),
    )  # fmt: skip
    """That of the vaccine when it was given."""
    entered_in_error = models.BooleanField(_("entered in error"), default=False, editable=False)
    error_reason = models.CharField(_("reason"), max_length=200, blank=True, editable=False)

    refusals: ClassVar = {
        "vaccination_due_after_given": ("due_on", _("The next dose must be due after this one.")),
    }

    class Meta:
        ordering: ClassVar = ["-given_on", "-id"]
        verbose_name = _("vaccination")
        verbose_name_plural = _("vaccinations")
        constraints: ClassVar = [
            check(Q(due_on__isnull=True) | Q(due_on__gt=F("given_on")), "vaccination_due_after_given"),
        ]

    def __str__(self) -> str:
        return f"{self.vaccine} {self.given_on}"

    def get_absolute_url(self) -> str:
        """The certificate."""
        return reverse("certificate", args=[self.pk])


class Reminder(Record):
    """The next vaccination of one group that a pet needs; at most one is pending for a pet and group."""

    class Status(models.TextChoices):
        """Pending until a newer vaccination completes it or a reason cancels it."""

        PENDING = "pending", _("Pending")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    pet = models.ForeignKey(Pet, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("pet"))
    group = models.SlugField(_("group"), max_length=40)
    vaccination = models.ForeignKey(Vaccination, on_delete=models.PROTECT, related_name="reminders")
    due_on = models.DateField(_("due on"), db_index=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    held = models.BooleanField(_("waiting for review"), default=False, editable=False)
    """Came with an import: nobody is written to about it before somebody has looked at what the import brought."""

    refusals: ClassVar = {"reminder_one_pending": ("group", _("A reminder of this group is pending already."))}

    class Meta:
        ordering: ClassVar = ["due_on", "id"]
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pet", "group"], condition=Q(status="pending"), name="reminder_one_pending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pet} {self.group} {self.due_on}"


class ReminderNotice(Record):
    """One message about a reminder: at most one for each stage, which makes sending twice impossible."""

    class Status(models.TextChoices):
        """`sending` is written before the mail leaves, so a crash in between is visible and never repeats a message."""

        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="notices")
    stage = models.SmallIntegerField(_("days from the due date"))
    channel = models.CharField(_("channel"), max_length=10, default="email")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.SENDING)
    error = models.CharField(_("error"), max_length=200, blank=True)

    refusals: ClassVar = {"notice_once_per_stage": ("stage", _("The owner has already been contacted at this stage."))}

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name = _("reminder message")
        verbose_name_plural = _("reminder messages")
        constraints: ClassVar = [models.UniqueConstraint(fields=["reminder", "stage"], name="notice_once_per_stage")]

    def __str__(self) -> str:
        return f"{self.reminder} {self.stage:+d} {self.status}"


class AppointmentNotice(Record):
    """One message about an appointment: at most one for each time that it has; one that is moved is told again."""

    Status = ReminderNotice.Status

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="notices")
    starts_at = models.DateTimeField(_("starts"))
    channel = models.CharField(_("channel"), max_length=10, default="email")
    status = models.CharField(
        _("status"), max_length=10, choices=ReminderNotice.Status.choices, default=ReminderNotice.Status.SENDING
    )
    error = models.CharField(_("error"), max_length=200, blank=True)

    refusals: ClassVar = {
        "notice_once_per_time": ("starts_at", _("The owner has been reminded of this appointment.")),
    }

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name = _("reminder of an appointment")
        verbose_name_plural = _("reminders of appointments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["appointment", "starts_at"], name="notice_once_per_time")
        ]

    def __str__(self) -> str:
        return f"{self.appointment} {self.status}"


class ReminderRun(Record):
    """The last sending of reminders: one row for all replicas, so that one run goes on at a time and pages can show it.

    `updated_at` grows with each owner; a run that stood still for longer than `PATIENCE` ended with its process.
    """

    PATIENCE: ClassVar = timedelta(minutes=2)  # a mail takes 10 s at most (EMAIL_TIMEOUT)

    started_by = models.CharField(_("started by"), max_length=150)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    sent = models.PositiveIntegerField(_("owners contacted"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    left = models.PositiveIntegerField(_("left for the next day"), default=0)

    class Meta:
        verbose_name = _("sending of reminders")
        verbose_name_plural = _("sendings of reminders")

    def __str__(self) -> str:
        return f"{self.started_by} {timezone.localtime(self.started_at):%Y-%m-%d %H:%M}"

    @property
    def by(self) -> str:
        """Who sends, for people."""
        return gettext("the daily run") if self.started_by.startswith("system:") else self.started_by

    @property
    def goes_on(self) -> bool:
        """Whether somebody is sending now."""
        return self.finished_at is None and timezone.now() - self.updated_at < self.PATIENCE
