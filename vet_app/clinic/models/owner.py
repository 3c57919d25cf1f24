"""Owners and their telephone numbers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic.country import postal_lines
from clinic.models.base import Record, VersionedRecord
from clinic.normalization import digits, fold


class Owner(VersionedRecord):
    """A person who brings pets and pays bills. A merged owner stays, hidden, and points at who it became."""

    class Contact(models.TextChoices):
        """How the owner wants to be reached."""

        ANY = "any", _("No preference")
        PHONE = "phone", _("Telephone")
        EMAIL = "email", _("E-mail")
        POST = "post", _("Post")

    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80)
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.TextField(_("address"), max_length=500, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True, default="")
    city = models.CharField(_("town"), max_length=80, blank=True, default="")
    state = models.CharField(_("state"), max_length=40, blank=True, default="")
    contact_preference = models.CharField(_("prefers"), max_length=10, choices=Contact.choices, default=Contact.ANY)
    reminder_consent = models.BooleanField(_("agrees to reminders"), default=False)
    notes = models.TextField(_("notes"), max_length=4000, blank=True)
    erased_on = models.DateField(_("erased on"), null=True, blank=True, editable=False)
    """When the person's data was erased; what the law keeps stands on the bills (`Invoice.recipient`)."""
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

    @property
    def postal_address(self) -> str:
        """The lines of a letter, the town as the clinic's country writes it."""
        return postal_lines(self.address, self.postal_code, self.city, self.state)

    @property
    def letter_head(self) -> str:
        """Name and address, in lines."""
        return "\n".join(part for part in (self.full_name, self.postal_address) if part)

    def derive(self) -> None:
        """The folded name, and the folded e-mail and address, that the search looks at."""
        self.search_name = fold(f"{self.first_name} {self.last_name}")[:200]
        self.search_contact = fold(f"{self.email} {self.address} {self.postal_code} {self.city} {self.state}")


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
