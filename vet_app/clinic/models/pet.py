"""Pets, and the species and breeds to choose from."""

from __future__ import annotations

from typing import Any, ClassVar, Tuple

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models.base import VersionedRecord
from clinic.models.owner import Owner
from clinic.normalization import digits, fold
from clinic.reference import translated_colour, translated_name
from vetclinic.constraints import check


class Species(VersionedRecord):
    """Dog, cat, rabbit: data, so that a clinic can add its own."""

    name = models.CharField(_("name"), max_length=60, unique=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = _("species")
        verbose_name_plural = _("species")

    def __str__(self) -> str:
        return translated_name(self.name)


class Breed(VersionedRecord):
    """A breed of one species."""

    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="breeds", verbose_name=_("species"))
    name = models.CharField(_("name"), max_length=80)

    refusals: ClassVar = {"breed_unique": ("name", _("This species already has a breed of this name."))}

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = _("breed")
        verbose_name_plural = _("breeds")
        constraints: ClassVar = [models.UniqueConstraint(fields=["species", "name"], name="breed_unique")]

    def __str__(self) -> str:
        return translated_name(self.name)


class Pet(VersionedRecord):
    """An animal. `alert` (allergies, bites) is shown wherever the pet is."""

    class Sex(models.TextChoices):
        """Sex, as far as it is known."""

        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        UNKNOWN = "unknown", _("Unknown")

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="pets", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=80)
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="pets", verbose_name=_("species"))
    breed = models.ForeignKey(
        Breed, null=True, blank=True, on_delete=models.PROTECT, related_name="pets", verbose_name=_("breed")
    )
    sex = models.CharField(_("sex"), max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    neutered = models.BooleanField(_("neutered"), null=True, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    birth_date_estimated = models.BooleanField(_("birth date is estimated"), default=False)
    colour = models.CharField(_("colour"), max_length=80, blank=True)
    microchip = models.CharField(_("microchip"), max_length=30, blank=True)
    tag = models.CharField(_("tag"), max_length=30, blank=True, db_index=True)
    alert = models.CharField(_("alert"), max_length=200, blank=True)
    deceased_on = models.DateField(_("died on"), null=True, blank=True)
    notes = models.TextField(_("notes"), max_length=4000, blank=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="merged_from"
    )
    search_name = models.CharField(max_length=100, editable=False, db_index=True)

    refusals: ClassVar = {"pet_died_after_birth": ("deceased_on", _("This date is before the date of birth."))}

    class Meta:
        ordering: ClassVar = ["name", "id"]
        verbose_name = _("pet")
        verbose_name_plural = _("pets")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["microchip"], condition=~Q(microchip=""), name="pet_microchip_unique"),
            check(
                Q(birth_date__isnull=True) | Q(deceased_on__isnull=True) | Q(deceased_on__gte=models.F("birth_date")),
                "pet_died_after_birth",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_deceased(self) -> bool:
        """Whether the pet has died."""
        return self.deceased_on is not None

    @property
    def colour_word(self) -> str:
        """The colour in the reader's language, where it is a usual one."""
        return translated_colour(self.colour)

    @property
    def microchip_is_unusual(self) -> bool:
        """Whether the number has not the 15 digits of ISO 11784; worth a look, never a refusal."""
        return bool(self.microchip) and not (len(self.microchip) == 15 and self.microchip.isdigit())

    def get_absolute_url(self) -> str:
        """The pet's page."""
        return reverse("pet", args=[self.pk])

    def clean(self) -> None:
        """Refuse a breed of another species and dates in the future."""
        errors = {}
        today = timezone.localdate()
        if self.breed is not None and self.breed.species_id != self.species_id:
            errors["breed"] = _("This breed belongs to another species.")
        for name in ("birth_date", "deceased_on"):
            value = getattr(self, name)
            if value is not None and value > today:
                errors[name] = _("This date is in the future.")
        if errors:
            raise ValidationError(errors)

    def refusal(self, constraint: str) -> Tuple[str, Any]:
        """For a microchip, whose it is: everybody who may record a pet may look at every pet."""
        if constraint != "pet_microchip_unique":
            return super().refusal(constraint)
        other = Pet.objects.select_related("owner", "species").exclude(pk=self.pk).get(microchip=self.microchip)
        placeholders = {"pet": other.name, "species": other.species, "owner": other.owner.full_name, "number": other.pk}
        return "microchip", gettext(
            "This is the microchip of %(pet)s (%(species)s, pet %(number)d) of %(owner)s. Read the chip again. If it is"
            " the same animal, use that record; if the number there is wrong, correct it there first."
        ) % placeholders

    def derive(self) -> None:
        """The folded name, and the microchip without the spaces that readers print."""
        self.search_name = fold(self.name)[:100]
        if digits(self.microchip) == self.microchip.replace(" ", "").replace("-", ""):
            self.microchip = digits(self.microchip)
