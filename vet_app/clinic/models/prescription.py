"""Prescriptions."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record
from clinic.models.visit import Visit
from clinic.money import QuantityField


class Prescription(Record):
    """A drug prescribed at a visit. It is voided with a reason, never edited: the label is out of the house."""

    number = models.PositiveBigIntegerField(_("number"), null=True, blank=True, editable=False)
    """Of the paper: what is prescribed at one visit on one day has the same."""
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="prescriptions", verbose_name=_("visit"))
    drug = models.CharField(_("drug"), max_length=120)
    strength = models.CharField(_("strength"), max_length=60, blank=True)
    dose = models.CharField(_("dose"), max_length=120)
    route = models.CharField(_("route"), max_length=40, blank=True, default="")
    duration = models.CharField(_("duration"), max_length=60, blank=True, default="")
    quantity = QuantityField(_("quantity"), validators=[MinValueValidator(Decimal("0.0001"))])
    unit = models.CharField(_("unit"), max_length=30, default="tablets")
    refills = models.PositiveSmallIntegerField(_("refills"), default=0)
    instructions = models.TextField(_("instructions"), max_length=1000)
    cautions = models.CharField(_("cautions"), max_length=200, blank=True, default="")
    withdrawal = models.CharField(
        _("withdrawal time"), max_length=80, blank=True, default="", help_text=_("For animals that give food.")
    )
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    controlled = models.BooleanField(_("controlled drug"), default=False)
    product = models.ForeignKey(
        "clinic.Product", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("billed as"),
        help_text=_("Added to the bill of the visit in the prescribed quantity. Leave empty to bill nothing."),
    )  # fmt: skip
    voided_at = models.DateTimeField(_("voided"), null=True, blank=True, editable=False)
    void_reason = models.CharField(_("reason"), max_length=200, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name = _("prescription")
        verbose_name_plural = _("prescriptions")

    def __str__(self) -> str:
        return f"{self.drug} {self.strength}".strip()
