"""What the manager sets for the clinic on a page: its letterhead, its prices, and who may take back what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models.base import VersionedRecord
from clinic.money import MoneyField


def limit(label: Any, help_text: Any) -> Any:
    """The largest amount up to which something needs no manager; empty is no limit, 0 is managers alone."""
    return MoneyField(
        label, null=True, blank=True, validators=[MinValueValidator(Decimal(0))],
        help_text=help_text,
    )  # fmt: skip


class ClinicSettings(VersionedRecord):
    """One row, once the manager has saved the page; until then the environment says who the clinic is."""

    name = models.CharField(_("name of the clinic"), max_length=120)
    address = models.TextField(_("address"), max_length=300)
    phone = models.CharField(_("telephone"), max_length=40)
    tax_number = models.CharField(
        _("tax number"), max_length=60, blank=True, help_text=_("Is printed on bills where it is given.")
    )
    prices_include_tax = models.BooleanField(
        _("prices include tax"), default=False,
        help_text=_("Of the price list and of new bills; bills that are begun stay as they are."),
    )  # fmt: skip
    cash_coin = MoneyField(
        _("smallest coin"), null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.001"))],
        help_text=_("Cash is rounded to it, such as 0.05; empty: cash is not rounded."),
    )  # fmt: skip
    vets_may_bill = models.BooleanField(
        _("vets issue bills and take money"), default=False, help_text=_("Reception and managers always do.")
    )
    void_limit = limit(
        _("void bills up to"), _("Above this amount a manager is needed; empty: no limit, 0: managers only.")
    )
    credit_limit = limit(_("credit up to"), _("As above, for each credit note."))
    discount_limit = limit(_("discount up to"), _("As above, for all discounts of a bill together."))
    refund_limit = limit(_("give money back up to"), _("As above, for money given back and payments undone."))

    class Meta:
        verbose_name = _("settings of the clinic")
        verbose_name_plural = _("settings of the clinic")

    FIELDS: ClassVar = (
        "name", "address", "phone", "tax_number", "prices_include_tax", "cash_coin", "vets_may_bill",
        "void_limit", "credit_limit", "discount_limit", "refund_limit",
    )  # fmt: skip
    """What the page shows, in its order."""

    def __str__(self) -> str:
        return self.name
