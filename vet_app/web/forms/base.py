"""What all forms share: the version a change is based on, and how a service's refusal is shown."""

from __future__ import annotations

import re
from typing import Any, Callable, ClassVar, Dict, FrozenSet, Iterable, Optional, TypeVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import DecimalValidator
from django.db.models import QuerySet
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from clinic.money import currency_places
from vetclinic.errors import Conflict

Result = TypeVar("Result")


def offer(form: forms.BaseForm, name: str, records: QuerySet[Any]) -> None:
    """Have the field of this name offer these records, and refuse all others."""
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField):
        raise TypeError(f"{name} chooses no record")
    field.queryset = records


def ungrouped(typed: str) -> str:
    """A number without the signs between its thousands: 1,234.50 in English, 1.234,50 in German, 1 234,50 in French.

    In German 1.234 stays what it is: the point may as well stand before decimals. `clinic.js` reads numbers as this.
    """
    decimal, group = (formats.get_format(name) for name in ("DECIMAL_SEPARATOR", "THOUSAND_SEPARATOR"))
    grouped = rf"-?\d{{1,3}}(?:[\s{re.escape(group)}]\d{{3}})+(?:{re.escape(decimal)}\d*)?"
    plain = typed.strip()
    unclear = group == "." and plain.count(".") == 1 and decimal not in plain
    return re.sub(rf"[\s{re.escape(group)}]", "", plain) if re.fullmatch(grouped, plain) and not unclear else typed


class NumberAsWritten(forms.TextInput):
    """A field of text for a number."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What was typed, without the signs between thousands."""
        typed = super().value_from_datadict(data, files, name)
        return ungrouped(typed) if isinstance(typed, str) else typed


def as_people_write(field: forms.Field) -> None:
    """Have a field take and show a number as the page's language writes it: 12,5 in German, and 12.5 as well.

    A browser's own field for numbers drops the comma where the browser's language is another one than the page's, and
    12,5 becomes 125.
    """
    if not isinstance(field, forms.DecimalField) or not isinstance(field.widget, forms.NumberInput):
        return
    attributes = {name: value for name, value in field.widget.attrs.items() if name not in {"step", "min", "max"}}
    required = field.widget.is_required
    field.widget = NumberAsWritten(attrs={**attributes, "inputmode": "decimal", "autocomplete": "off"})
    field.widget.is_required = required
    field.localize = field.widget.is_localized = True


class AmountField(forms.DecimalField):
    """An amount in the clinic's currency, with no more decimals than that has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=13, **options)
        as_people_write(self)

    def run_validators(self, value: Any) -> None:
        """Django's checks, and the currency's."""
        super().run_validators(value)
        if value is not None:
            DecimalValidator(13, currency_places())(value)


class Suggesting(forms.TextInput):
    """A field of text below which the browser offers words; anything else may be typed."""

    template_name = "web/includes/suggesting.html"

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(attrs={"autocomplete": "off"})
        self.words = words

    def get_context(self, name: str, value: Any, attrs: Any) -> Dict[str, Any]:
        """The words, and the name of their list."""
        context: Dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"words-{name}"
        return {**context, "words": sorted(self.words())}


class DateInput(forms.DateInput):
    """The browser's own date picker."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "date"}, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's own time picker."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "time", "step": 300}, format="%H:%M")


class DateTimeInput(forms.DateTimeInput):
    """The browser's own picker of date and time."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ClinicForm(forms.Form):
    """A form whose values go to a service."""

    conflict: Optional[Conflict] = None
    """Why the change does not fit what is recorded, once a service has said so."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    """The version of the record that the person saw; left out of new records."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.Textarea) and field.widget.attrs.get("rows") == "10":
                field.widget.attrs["rows"] = 4  # Django's ten push the next field off the screen
            as_people_write(field)

    def attempt(self, service: Callable[..., Result], *args: Any, **kwargs: Any) -> Optional[Result]:
        """Call a service; None, with the refusal on the form, where it refuses."""
        try:
            return service(*args, **kwargs)
        except ValidationError as problem:
            self.take(problem)
        except Conflict as conflict:
            self.conflict = conflict
        return None

    def take(self, problem: ValidationError) -> None:
        """Show a service's messages beside their fields, and those without a field on top."""
        if not hasattr(problem, "error_dict"):
            self.add_error(None, problem)
            return
        for name, errors in problem.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)

    @property
    def fields_given(self) -> Dict[str, Any]:
        """What a service takes as its fields."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.control_fields}

    @property
    def based_on(self) -> int:
        """The version that the person saw; 0, which no record has, where the form came without one."""
        return self.cleaned_data["version"] or 0

    control_fields: ClassVar[FrozenSet[str]] = frozenset({"version"})

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form."""
        if self.conflict is not None:
            return 409
        return 422 if self.is_bound and self.errors else 200

    @property
    def problems(self) -> Any:
        """Errors that belong to no field."""
        return self.errors.get(NON_FIELD_ERRORS, [])


class ReasonForm(ClinicForm):
    """A reason, for what must be explained in the audit trail."""

    reason = forms.CharField(label=_("Reason"), max_length=200)
