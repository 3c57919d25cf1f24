"""Forms of vaccinations."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Dict, Optional

from django import forms
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Pet, Vaccination, Vaccine, VaccineLot, Vet
from web.forms.base import ClinicForm, DateInput, offer

NOT_AFTER = _("The next dose must be due after this one.")


class LotField(forms.ModelChoiceField):
    """Lots with their vaccines and when they expire."""

    def label_from_instance(self, lot: Any) -> str:
        """Vaccine, number, expiry."""
        expires = formats.date_format(lot.expires_on, "SHORT_DATE_FORMAT") if lot.expires_on else "–"
        return f"{lot.vaccine} · {lot.number} · {expires}"


class VaccinationForm(forms.ModelForm, ClinicForm):
    """One injection of one pet; the list of vaccines is that of its species."""

    control_fields: ClassVar = frozenset({"version", "again", "known_lot"})

    known_lot = LotField(
        label=_("lot in stock"), queryset=VaccineLot.objects.none(), required=False,
        help_text=_("If the lot is not listed, enter it below once; it is kept for the next time."),
    )  # fmt: skip
    again = forms.BooleanField(
        label=_("given twice on purpose"), required=False, help_text=_("Tick this only if it is another injection.")
    )

    class Meta:
        model = Vaccination
        fields: ClassVar = [
            "vaccine", "known_lot", "given_on", "due_on", "vet", "given_elsewhere", "lot", "lot_expiry", "manufacturer",
            "trade_name", "first_dose", "tag",
        ]  # fmt: skip
        widgets: ClassVar = {"given_on": DateInput(), "due_on": DateInput(), "lot_expiry": DateInput()}
        help_texts: ClassVar = {
            "due_on": _("Leave empty for the vaccine's usual interval."),
            "manufacturer": _("Leave empty for the vaccine's usual manufacturer."),
            "trade_name": _("Leave empty for the vaccine's usual product."),
            "given_elsewhere": _("By another clinic; vet and lot are then optional."),
            "tag": _("The number on the rabies tag."),
        }

    def __init__(self, *args: Any, pet: Pet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.pet = pet
        vaccines = Vaccine.objects.filter(species=pet.species_id, active=True)
        offer(self, "vaccine", vaccines)
        lots = VaccineLot.objects.filter(vaccine__in=vaccines, active=True).exclude(expires_on__lt=timezone.localdate())
        offer(self, "known_lot", lots.select_related("vaccine"))
        if not self.data.get("again"):
            self.fields["again"].widget = forms.HiddenInput()
        offer(self, "vet", Vet.objects.filter(active=True))

    def ask_whether_again(self) -> None:
        """Show the box to tick, once the same injection was found."""
        self.fields["again"].widget = forms.CheckboxInput()

    def clean(self) -> Dict[str, Any]:
        """Take the lot that was chosen, and refuse a due date that is not after the injection."""
        cleaned = super().clean() or {}
        self._take_lot(cleaned)
        given_on, due_on = cleaned.get("given_on"), cleaned.get("due_on")
        if given_on and due_on and due_on <= given_on:
            self.add_error("due_on", NOT_AFTER)
        return cleaned

    def _take_lot(self, cleaned: Dict[str, Any]) -> None:
        """Put number and expiry of the chosen lot in place of what is typed."""
        lot = cleaned.get("known_lot")
        if lot is None:
            return
        if cleaned.get("vaccine") not in (None, lot.vaccine):
            self.add_error("known_lot", _("This lot is of another vaccine."))
        elif cleaned.get("lot") not in (None, "", lot.number):
            self.add_error("known_lot", _("Choose a lot or enter a new one, not both."))
        else:
            cleaned["lot"], cleaned["lot_expiry"] = lot.number, lot.expires_on or cleaned.get("lot_expiry")


class DueDateForm(forms.ModelForm, ClinicForm):
    """When the next one is due."""

    class Meta:
        model = Vaccination
        fields: ClassVar = ["due_on"]
        widgets: ClassVar = {"due_on": DateInput()}
        help_texts: ClassVar = {"due_on": _("Leave empty for never. The reminder is updated too.")}

    def clean_due_on(self) -> Optional[date]:
        """Refuse a date that is not after the injection."""
        due_on: Optional[date] = self.cleaned_data["due_on"]
        if due_on and due_on <= self.instance.given_on:
            raise forms.ValidationError(NOT_AFTER)
        return due_on
