"""Forms about pets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Breed, Owner, Pet, Species
from clinic.reference import COLOURS, read_colour, said_colour
from clinic.services.pets import EDITABLE
from web.forms.base import ClinicForm, DateInput, Suggesting


class BreedField(forms.ModelChoiceField):
    """Breeds under their species."""

    def label_from_instance(self, breed: Any) -> str:
        """Both names, because the list holds the breeds of all species."""
        return f"{breed.species}: {breed}"


class ColourField(forms.CharField):
    """A colour in the reader's language; usual ones are offered, and stored so that every language has them."""

    def clean(self, value: Any) -> str:
        """The word to store."""
        return read_colour(super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        """The word to show."""
        return said_colour(value) if isinstance(value, str) else value


class PetForm(ClinicForm):
    """A pet."""

    name = forms.CharField(label=_("name"), max_length=80)
    species = forms.ModelChoiceField(label=_("species"), queryset=Species.objects.all())
    breed = BreedField(
        label=_("breed"), required=False,
        queryset=Breed.objects.select_related("species").order_by("species__name", "name"),
    )  # fmt: skip
    sex = forms.ChoiceField(label=_("sex"), choices=Pet.Sex.choices, initial=Pet.Sex.UNKNOWN)
    neutered = forms.NullBooleanField(label=_("neutered"), required=False)
    birth_date = forms.DateField(label=_("birth date"), required=False, widget=DateInput)
    birth_date_estimated = forms.BooleanField(label=_("birth date is estimated"), required=False)
    colour = ColourField(
        label=_("colour"), max_length=80, required=False, widget=Suggesting(lambda: map(said_colour, COLOURS))
    )
    microchip = forms.CharField(label=_("microchip"), max_length=30, required=False)
    tag = forms.CharField(label=_("tag"), max_length=30, required=False)
    alert = forms.CharField(
        label=_("alert"), max_length=200, required=False, help_text=_("Allergies, bites: shown wherever the pet is.")
    )
    notes = forms.CharField(label=_("notes"), max_length=4000, required=False, widget=forms.Textarea)

    @classmethod
    def of(cls, pet: Pet, data: Any) -> PetForm:
        """The form of a pet that is recorded."""
        return cls(data, initial={**{name: getattr(pet, name) for name in EDITABLE}, "version": pet.version})


class DeceasedForm(ClinicForm):
    """The day of a death."""

    deceased_on = forms.DateField(label=_("died on"), widget=DateInput, initial=timezone.localdate)


class OtherOwnerForm(ClinicForm):
    """An owner by number, as the search shows it."""

    owner = forms.ModelChoiceField(
        label=_("owner number"),
        queryset=Owner.objects.filter(merged_into=None),
        widget=forms.NumberInput(attrs={"min": 1}),
        help_text=_("Shown on the owner's page, for example 12."),
        error_messages={"invalid_choice": _("There is no owner with this number.")},
    )
