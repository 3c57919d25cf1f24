"""How people pay, and the money that the clinic holds for an owner."""

from __future__ import annotations

from typing import Any, ClassVar, Dict

from django.db import models
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record, VersionedRecord
from clinic.models.billing import Payment
from clinic.models.owner import Owner
from clinic.money import MoneyField
from vetclinic.constraints import check

FIRST = {
    "cash": gettext_noop("Cash"),
    "card": gettext_noop("Card"),
    "transfer": gettext_noop("Bank transfer"),
    "cheque": gettext_noop("Cheque"),
    "financing": gettext_noop("Third-party financing"),
}
"""The ways to pay that every clinic starts with (migration 0023)."""


class PaymentMethod(VersionedRecord):
    """A way to pay that the clinic has named. Payments keep its code, which stays when the name changes."""

    code = models.CharField(max_length=10, unique=True, blank=True, editable=False)
    name = models.CharField(_("name"), max_length=60)
    is_cash = models.BooleanField(_("is kept in the till"), default=False)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")

    def __str__(self) -> str:
        return gettext(self.name)  # those of FIRST in the reader's language, a clinic's own as they are

    def clean(self) -> None:
        """Give a new way its code before the checks."""
        self.derive()

    def derive(self) -> None:
        """The code of a new way: its name, shortened, and numbered where another has it."""
        if self.code:
            return
        stem, taken = slugify(self.name)[:7] or "way", set(PaymentMethod.objects.values_list("code", flat=True))
        taken |= set(Payment.Internal.values)
        self.code = next(code for code in (stem, *(f"{stem}{number}" for number in range(2, 999))) if code not in taken)


def method_names() -> Dict[str, str]:
    """The words for every code that a payment may have, in the reader's language."""
    own = {method.code: str(method) for method in PaymentMethod.objects.all()}
    return {**{code: str(name) for code, name in Payment.Internal.choices}, **own}


class AccountEntry(Record):
    """Money that an owner has with the clinic: a deposit or an overpayment, or with a minus what was used or paid back.

    With a `method` it came in or went out that way; without one it moved between the account and a bill. `payment` is
    the payment that it belongs to.
    """

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="account", verbose_name=_("owner"))
    amount = MoneyField(_("amount"))
    method = models.CharField(_("method"), max_length=10, blank=True)
    at = models.DateTimeField(_("at"))
    payment = models.OneToOneField(
        Payment, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="account_entry"
    )
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    key = models.CharField(_("key"), max_length=64, null=True, blank=True, unique=True, editable=False)

    refusals: ClassVar = {"account_entry_not_zero": ("amount", _("The amount cannot be zero."))}

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = _("entry of an owner's account")
        verbose_name_plural = _("entries of owners' accounts")
        constraints: ClassVar = [check(~Q(amount=0), "account_entry_not_zero")]

    def __str__(self) -> str:
        return f"{self.amount} ({self.method or Payment.Internal.ACCOUNT})"

    def get_absolute_url(self) -> Any:
        """The owner's account."""
        return self.owner.get_absolute_url()
