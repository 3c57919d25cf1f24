"""Controlled drugs, and the log of what came in, was dispensed, was wasted and was counted."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.base import FinalRecord, VersionedRecord
from clinic.models.prescription import Prescription
from clinic.money import QuantityField
from vetclinic.constraints import check


class ControlledDrug(VersionedRecord):
    """A controlled drug in one strength and form, such as ketamine 100 mg/ml; its log is in `unit`."""

    name = models.CharField(_("name"), max_length=120)
    strength = models.CharField(_("strength and form"), max_length=80, blank=True)
    unit = models.CharField(_("unit"), max_length=30, default="ml")
    active = models.BooleanField(_("active"), default=True)

    refusals: ClassVar = {"controlled_drug_once": ("name", _("This drug is already on the list."))}

    class Meta:
        ordering: ClassVar = ["name", "strength"]
        verbose_name = _("controlled drug")
        verbose_name_plural = _("controlled drugs")
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "strength"], name="controlled_drug_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.strength}".strip()


class DrugEntry(FinalRecord):
    """One line of the log. It is never changed: a mistake is put right by a count, which says why.

    `change` is what came in, or with a minus what went out; `balance` is what is there after it.
    """

    class Kind(models.TextChoices):
        """What happened (21 CFR 1304.22(c), 1304.11: received, dispensed, disposed of, inventory)."""

        RECEIVED = "received", _("Received")
        DISPENSED = "dispensed", _("Dispensed or given")
        WASTED = "wasted", _("Wasted or destroyed")
        COUNTED = "counted", _("Counted")

    drug = models.ForeignKey(ControlledDrug, on_delete=models.PROTECT, related_name="entries", verbose_name=_("drug"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    change = QuantityField(_("change"))
    balance = QuantityField(_("balance"), validators=[MinValueValidator(0)])
    at = models.DateTimeField(_("at"))
    prescription = models.ForeignKey(
        Prescription, null=True, blank=True, on_delete=models.PROTECT, related_name="drug_entries",
        verbose_name=_("prescription"),
    )  # fmt: skip
    whom = models.CharField(_("from whom or for whom"), max_length=300, blank=True)
    """The supplier, or the animal with its owner and address."""
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.CharField(_("by"), max_length=150, editable=False)
    witness = models.CharField(_("witness"), max_length=150, blank=True, editable=False)

    final: ClassVar = _("The drug log cannot be changed. Enter a count instead.")
    refusals: ClassVar = {"drug_entry_balance": ("quantity", _("You cannot take out more than is in stock."))}

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("entry of the drug log")
        verbose_name_plural = _("entries of the drug log")
        constraints: ClassVar = [check(Q(balance__gte=0), "drug_entry_balance")]

    def __str__(self) -> str:
        return f"{self.drug} {self.change:+f}"
