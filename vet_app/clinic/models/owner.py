"""Owners and their telephone numbers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic.folding import digits, fold
from clinic.models.base import Record, VersionedRecord


class Owner(VersionedRecord):
    """A person who brings pets and pays bills. A merged owner stays, hidden, and points at who it became."""

    class Contact(models.TextChoices):
        """How the owner wants to be reached."""

        PHONE = "phone", _("Telephone")
        EMAIL = "email", _("E-mail")
        POST = "post", _("Post")

    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80)
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.TextField(_("address"), max_length=500, blank=True)
    contact_preference = models.CharField(_("prefers"), max_length=10, choices=Contact.choices, default=Contact.PHONE)
    reminder_consent = models.BooleanField(_("agrees to reminders"), default=True)
    notes = models.TextField(_("notes"), max_length=4000, blank=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged_from"
    )
    search_name = models.CharField(max_length=200, editable=False, db_index=True)
    search_contact = models.TextField(editable=False, default="")

    class Meta:
        ordering: ClassVar = ["last_name", "first_name", "id"]
        verbose_name = _("owner")
        verbose_name_plural = _("owners")

    def __str__(self) -> str:
        return f"{self.last_name}, {self.first_name}" if self.first_name else self.last_name

    @property
    def full_name(self) -> str:
        """First and last name, as on a letter."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_absolute_url(self) -> str:
        """The owner's page."""
        return reverse("owner", args=[self.pk])

    def derive(self) -> None:
        """The folded name, and the folded e-mail and address, that the search looks at."""
        self.search_name = fold(f"{self.first_name} {self.last_name}")[:200]
        self.search_contact = fold(f"{self.email} {self.address}")


class Phone(Record):
    """One of an owner's telephone numbers; `digits` is what the search looks at."""

    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="phones", verbose_name=_("owner"))
    label = models.CharField(_("label"), max_length=30, blank=True)
    number = models.CharField(_("number"), max_length=40)
    digits = models.CharField(max_length=40, editable=False, db_index=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = _("telephone number")
        verbose_name_plural = _("telephone numbers")

    def __str__(self) -> str:
        return f"{self.number} ({self.label})" if self.label else self.number

    def derive(self) -> None:
        """The bare digits."""
        self.digits = digits(self.number)
