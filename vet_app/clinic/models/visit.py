"""Visits with their notes, which lock, and the amendments that may follow."""

from __future__ import annotations

from typing import Any, ClassVar, List

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record, VersionedRecord
from clinic.models.calendar import Appointment, Vet
from clinic.models.pet import Pet
from vetclinic.errors import Locked


def between(low: float, high: float) -> List[Any]:
    """Validators of a measurement that a living animal can have."""
    return [MinValueValidator(low), MaxValueValidator(high)]


def weight_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A weight in kilograms, to the gram."""
    return models.DecimalField(
        _("weight (kg)"), max_digits=6, decimal_places=3, validators=between(0.001, 999), **options
    )


class Visit(VersionedRecord):
    """One examination. Weight in kilograms, temperature in degrees Celsius, heart and breath per minute.

    One that was entered in error stays readable and counts for nothing.
    """

    pet = models.ForeignKey(Pet, on_delete=models.PROTECT, related_name="visits", verbose_name=_("pet"))
    vet = models.ForeignKey(Vet, on_delete=models.PROTECT, related_name="visits", verbose_name=_("vet"))
    appointment = models.OneToOneField(
        Appointment,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="visit",
        verbose_name=_("appointment"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    weight_kg = weight_field(null=True, blank=True)
    temp_c = models.DecimalField(
        _("temperature (°C)"), max_digits=4, decimal_places=2, null=True, blank=True, validators=between(20, 45)
    )
    heart_rate = models.PositiveSmallIntegerField(
        _("heart rate (per minute)"), null=True, blank=True, validators=between(1, 1500)
    )
    resp_rate = models.PositiveSmallIntegerField(
        _("breaths (per minute)"), null=True, blank=True, validators=between(1, 500)
    )
    subjective = models.TextField(_("history"), max_length=8000, blank=True)
    objective = models.TextField(_("findings"), max_length=8000, blank=True)
    assessment = models.TextField(_("assessment"), max_length=8000, blank=True)
    plan = models.TextField(_("plan"), max_length=8000, blank=True)
    locked_at = models.DateTimeField(_("locked"), null=True, blank=True, editable=False)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    entered_in_error = models.BooleanField(_("entered in error"), default=False, editable=False)
    error_reason = models.CharField(_("reason"), max_length=200, blank=True, editable=False)
    billing_closed_at = models.DateTimeField(_("nothing more to bill"), null=True, blank=True, editable=False)
    """When somebody said so; what is given or prescribed later is asked about again."""

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="visit_newest"),
            models.Index(fields=["-at", "-id"], condition=models.Q(locked_at__isnull=True), name="visit_open"),
        ]

    def __str__(self) -> str:
        return f"{self.pet} {timezone.localtime(self.at):%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        """The visit's page."""
        return reverse("visit", args=[self.pk])

    @property
    def is_locked(self) -> bool:
        """Whether the notes are closed; amendments remain possible."""
        return self.locked_at is not None

    TAKEN_BACK: ClassVar = frozenset(
        {"entered_in_error", "error_reason", "appointment", "version", "updated_at"}
    )  # fmt: skip
    """What changes when a visit is marked as entered in error, which a locked one may be as well."""
    BILLED: ClassVar = frozenset({"billing_closed_at", "updated_at"})
    """What changes when somebody says that nothing is to be billed; the notes are not concerned, locked or not."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save an open visit; of a locked one only what is in TAKEN_BACK or BILLED. Raises Locked for anything else."""
        named = kwargs.get("update_fields")
        allowed = named is not None and any(each.issuperset(named) for each in (self.TAKEN_BACK, self.BILLED))
        if self.pk and not allowed and Visit.objects.filter(pk=self.pk, locked_at__isnull=False).exists():
            raise Locked(_("This visit is locked. Add an amendment instead."))
        super().save(*args, **kwargs)


class Weighing(Record):
    """A weight that belongs to no visit: taken at the desk, or brought in from another program."""

    pet = models.ForeignKey(Pet, on_delete=models.PROTECT, related_name="weighings", verbose_name=_("pet"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    weight_kg = weight_field()
    by = models.CharField(_("by"), max_length=150, editable=False)
    entered_in_error = models.BooleanField(_("entered in error"), default=False, editable=False)
    error_reason = models.CharField(_("reason"), max_length=200, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = _("weight")
        verbose_name_plural = _("weights")

    def __str__(self) -> str:
        return f"{self.pet} {timezone.localtime(self.at):%Y-%m-%d} {self.weight_kg} kg"

    def get_absolute_url(self) -> Any:
        """The pet's page."""
        return self.pet.get_absolute_url()


class VisitAmendment(Record):
    """A signed addition to a locked visit."""

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="amendments", verbose_name=_("visit"))
    author = models.CharField(_("author"), max_length=150, editable=False)
    text = models.TextField(_("text"), max_length=8000)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        verbose_name = _("amendment")
        verbose_name_plural = _("amendments")

    def __str__(self) -> str:
        return f"{self.visit} ({self.author})"
