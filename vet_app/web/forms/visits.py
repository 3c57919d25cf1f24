"""Forms of visits, their amendments, prescriptions and attachments."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Attachment, Prescription, Product, Vet, Visit, VisitAmendment
from clinic.models.attachment import SIGNATURES
from web.forms.base import ClinicForm, DateInput, DateTimeInput, offer

NOTES = ("subjective", "objective", "assessment", "plan")


class VisitForm(forms.ModelForm, ClinicForm):
    """Measurements and notes of one examination."""

    class Meta:
        model = Visit
        fields: ClassVar = ["vet", "at", "weight_kg", "temp_c", "heart_rate", "resp_rate", *NOTES]
        widgets: ClassVar = {"at": DateTimeInput(), **{name: forms.Textarea(attrs={"rows": 4}) for name in NOTES}}
        labels: ClassVar = {"at": _("date and time")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vets = Vet.objects.filter(Q(active=True) | Q(pk=self.instance.vet_id))
        offer(self, "vet", vets)
        weight = self.initial.get("weight_kg")
        if weight is not None:
            self.initial["weight_kg"] = f"{weight.normalize():f}"  # 12.4, where the column has 12.400


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
            "drug", "strength", "dose", "quantity", "unit", "refills", "instructions", "valid_until", "controlled",
            "product",
        ]  # fmt: skip
        widgets: ClassVar = {"valid_until": DateInput(), "instructions": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "product", Product.objects.filter(active=True))
        self.initial["unit"] = _("tablets")


class AttachmentForm(ClinicForm):
    """A file from the computer in front of the person."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, JPEG or PNG, at most 2 MB."),
        widget=forms.FileInput(attrs={"accept": ",".join(SIGNATURES.values())}),
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=Attachment._meta.get_field("name").max_length,
        help_text=_("Empty: the name of the file."),
    )
