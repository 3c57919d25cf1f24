"""The count of the till at the end of a day."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from clinic.models.base import FinalRecord
from clinic.money import MoneyField


class CashCount(FinalRecord):
    """What the till held when a day ended, beside what it should have held. Final: a mistake gets a correcting count.

    A correction names the count that it replaces, so the counts of a day are one chain and its last one holds.
    PostgreSQL refuses a change or a deletion as well (migration 0020).
    """

    day = models.DateField(_("day"))
    opening = MoneyField(_("opening cash"), validators=[MinValueValidator(0)])
    taken = MoneyField(_("cash received less cash refunded"), editable=False)
    withdrawn = MoneyField(_("bank deposit"), default=0, validators=[MinValueValidator(0)])
    counted = MoneyField(_("cash counted"), validators=[MinValueValidator(0)])
    difference = MoneyField(_("difference"), editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    counted_by = models.CharField(_("by"), max_length=150, editable=False)
    corrects = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="corrected_by"
    )

    refusals: ClassVar = {
        "cash_count_once": ("day", _("The till has already been counted for this day. Correct that count instead.")),
    }

    final: ClassVar = _("A cash count is final. Enter a correction instead.")

    class Meta:
        ordering: ClassVar = ["-day", "-id"]
        verbose_name = _("cash count")
        verbose_name_plural = _("cash counts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day"], condition=Q(corrects__isnull=True), name="cash_count_once"),
        ]

    def __str__(self) -> str:
        return str(formats.date_format(self.day, "SHORT_DATE_FORMAT"))

    @property
    def expected(self) -> Any:
        """What should have been in the till."""
        return self.opening + self.taken - self.withdrawn
