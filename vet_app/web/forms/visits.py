"""Forms of visits, their amendments, prescriptions and attachments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from clinic import units
from clinic.models import Attachment, Prescription, Product, Vet, Visit, VisitAmendment
from clinic.models.attachment import MAX_BYTES, SIGNATURES
from web.forms.base import ClinicForm, DateInput, DateTimeInput, as_people_write, offer

NOTES = ("subjective", "objective", "assessment", "plan")


class MeasureField(forms.DecimalField):
    """A measurement in the clinic's unit; what the form gives on is what records keep."""

    def __init__(self, column: str, validators: Any) -> None:
        self.column, self.unit = column, units.unit_of(column)
        label = f"{units.MEASURES[column].label} ({self.unit.sign})"
        super().__init__(label=label, required=False, max_digits=6, decimal_places=self.unit.places)
        as_people_write(self)
        self.bounds = validators

    def prepare_value(self, value: Any) -> Any:
        """What is stored, as people at this clinic read it; what was typed stays as it is."""
        if not isinstance(value, Decimal):
            return value
        number = units.written(self.column, value)
        return None if number is None else formats.number_format(number)

    def clean(self, value: Any) -> Any:
        """The number to store; the sentence of a bound that it breaks is in the clinic's unit, too."""
        stored = units.entered(self.column, super().clean(value))
        if stored is not None:
            for bound in self.bounds:
                self._within(bound, stored)
        return stored

    def _within(self, bound: Any, stored: Decimal) -> None:
        try:
            bound(stored)
        except forms.ValidationError as problem:
            limit = units.formatted(self.column, Decimal(str(bound.limit_value)))
            raise forms.ValidationError(problem.message, code=problem.code, params={"limit_value": limit}) from problem


def measure(column: str) -> MeasureField:
    """The form's field for a measurement, with the bounds of the record's."""
    of_records: Any = Visit._meta.get_field(column)
    return MeasureField(column, [each for each in of_records.validators if hasattr(each, "limit_value")])


class WeightForm(ClinicForm):
    """A weight, in the clinic's unit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["weight_kg"] = measure("weight_kg")
        self.fields["weight_kg"].required = True


class VisitForm(forms.ModelForm, ClinicForm):
    """Measurements and notes of one examination; for those who may not write notes only what they measure."""

    class Meta:
        model = Visit
        fields: ClassVar = ["vet", "at", "weight_kg", "temp_c", "heart_rate", "resp_rate", *NOTES]
        widgets: ClassVar = {"at": DateTimeInput(), **{name: forms.Textarea(attrs={"rows": 4}) for name in NOTES}}
        labels: ClassVar = {"at": _("date and time")}

    def __init__(self, *args: Any, notes: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vets = Vet.objects.filter(Q(active=True) | Q(pk=self.instance.vet_id))
        offer(self, "vet", vets)
        for column in units.MEASURES:
            self.fields[column] = measure(column)
        if not notes:
            begun = () if self.instance.pk is None else ("vet", "at")
            for name in (*NOTES, *begun):
                del self.fields[name]


class AmendmentForm(forms.ModelForm, ClinicForm):
    """The text that is added to a locked visit."""

    class Meta:
        model = VisitAmendment
        fields: ClassVar = ["text"]
        widgets: ClassVar = {"text": forms.Textarea(attrs={"rows": 3})}
        labels: ClassVar = {"text": _("Amendment")}


class PrescriptionForm(forms.ModelForm, ClinicForm):
    """A drug, how it is given, and how much of it."""

    class Meta:
        model = Prescription
        fields: ClassVar = [
            "drug", "strength", "dose", "route", "duration", "quantity", "unit", "refills", "instructions", "cautions",
            "withdrawal", "valid_until", "controlled", "product",
        ]  # fmt: skip
        help_texts: ClassVar = {
            "dose": _("How much and how often, for example 1 tablet twice a day."),
            "route": _("For example by mouth."),
            "duration": _("For example for 7 days."),
        }
        widgets: ClassVar = {"valid_until": DateInput(), "instructions": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "product", Product.objects.filter(active=True))
        self.initial["unit"] = _("tablets")


class AttachmentForm(ClinicForm):
    """A file from the computer in front of the person."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, JPEG or PNG, at most 2 MB. Your browser makes larger photographs smaller."),
        widget=forms.FileInput(attrs={"accept": ",".join(SIGNATURES.values()), "data-largest": MAX_BYTES}),
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=Attachment._meta.get_field("name").max_length,
        help_text=_("Leave empty to use the file name."),
    )
