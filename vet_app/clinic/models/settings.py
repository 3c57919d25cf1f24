"""What the manager sets for the clinic on a page: letterhead, language, units, prices, and who takes back what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic import holidays, opening
from clinic.models.base import Record, VersionedRecord
from clinic.money import MoneyField


def limit(label: Any, help_text: Any) -> Any:
    """The largest amount up to which something needs no manager; empty is no limit, 0 is managers alone."""
    return MoneyField(
        label, null=True, blank=True, validators=[MinValueValidator(Decimal(0))],
        help_text=help_text,
    )  # fmt: skip


def usual_minutes(label: Any) -> models.PositiveSmallIntegerField[Any, Any]:
    """How long appointments of a kind last; empty is one row of the calendar."""
    return models.PositiveSmallIntegerField(
        label, null=True, blank=True, validators=[MinValueValidator(5), MaxValueValidator(720)]
    )


LANGUAGES = [("", _("The language of each browser")), *settings.LANGUAGES]


class ClinicSettings(VersionedRecord):
    """One row, once the manager has saved the page; until then the environment says who the clinic is."""

    class WeightUnit(models.TextChoices):
        """What animals are weighed in."""

        KILOGRAM = "kg", _("kilograms (kg)")
        POUND = "lb", _("pounds (lb)")

    class TemperatureUnit(models.TextChoices):
        """What thermometers show."""

        CELSIUS = "c", _("degrees Celsius (°C)")
        FAHRENHEIT = "f", _("degrees Fahrenheit (°F)")

    class SecondFactor(models.TextChoices):
        """Who needs more than a password to log in."""

        OPTIONAL = "optional", _("whoever sets one up")
        MANAGERS = "managers", _("managers, and whoever sets one up")
        EVERYBODY = "everybody", _("everybody")

    name = models.CharField(_("name of the clinic"), max_length=120)
    address = models.TextField(_("address"), max_length=300)
    phone = models.CharField(_("telephone"), max_length=40)
    tax_number = models.CharField(_("tax number"), max_length=60, blank=True, help_text=_("Printed on bills."))
    legal_details = models.TextField(
        _("legal details"), max_length=500, blank=True, default="",
        help_text=_("At the foot of bills, such as the legal form, the register, SIRET, the bank account, a mediator."),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=10, blank=True, choices=LANGUAGES,
        help_text=_(
            "For pages, dates, and everything that is printed or sent. Each person can choose"
            " another language for their own pages."
        ),
    )  # fmt: skip
    weight_unit = models.CharField(
        _("weight unit"), max_length=2, choices=WeightUnit.choices, default=WeightUnit.KILOGRAM
    )
    temperature_unit = models.CharField(
        _("temperature unit"), max_length=1, choices=TemperatureUnit.choices, default=TemperatureUnit.CELSIUS
    )
    hours = models.CharField(
        _("opening hours"), max_length=200, blank=True, validators=[opening.check],
        help_text=_(
            "For example: Mo-Fr 08:00-12:00, 14:00-18:00; Sa 09:00-12:00. If empty, the hours of"
            " the environment apply."
        ),
    )  # fmt: skip
    holidays = models.CharField(
        _("public holidays"), max_length=10, blank=True, validators=[holidays.check],
        help_text=_(
            "A country, or a country and region, such as US-CA or DE-BY. Bookings on a holiday"
            " show a warning."
        ),
    )  # fmt: skip
    consult_minutes = usual_minutes(_("a consultation lasts (minutes)"))
    vaccination_minutes = usual_minutes(_("a vaccination lasts (minutes)"))
    surgery_minutes = usual_minutes(_("a surgery lasts (minutes)"))
    follow_up_minutes = usual_minutes(_("a follow-up lasts (minutes)"))
    prices_include_tax = models.BooleanField(
        _("prices include tax"), default=False,
        help_text=_("Applies to the price list and to new bills. Existing drafts do not change."),
    )  # fmt: skip
    cash_coin = MoneyField(
        _("smallest coin"), null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.001"))],
        help_text=_("Cash amounts are rounded to it, for example 0.05. Leave empty for no rounding."),
    )  # fmt: skip
    vets_may_bill = models.BooleanField(
        _("vets may issue bills and take payments"), default=False, help_text=_("Reception and managers always may.")
    )
    readonly_may_take_records = models.BooleanField(
        _("read-only users may print and download whole records"), default=False,
        help_text=_("Vets, technicians and managers always may."),
    )  # fmt: skip
    appointment_reminder_days = models.PositiveSmallIntegerField(
        _("remind of appointments (days before)"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(14)],
        help_text=_("Sent to owners who agreed to reminders. Empty: none are sent."),
    )  # fmt: skip
    reminders_a_day = models.PositiveSmallIntegerField(
        _("owners e-mailed per day, at most"), null=True, blank=True, default=100,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("The others follow on the next days. Empty: no limit."),
    )  # fmt: skip
    second_factor = models.CharField(
        _("second step at log-in for"), max_length=10, choices=SecondFactor.choices, default=SecondFactor.OPTIONAL,
        help_text=_("A code from an app, or a passkey. Anyone without one is asked to set it up first."),
    )  # fmt: skip
    session_hours = models.PositiveSmallIntegerField(
        _("log out after (hours)"), default=12, validators=[MinValueValidator(1), MaxValueValidator(24)],
        help_text=_("Counted from the log-in. Applies to log-ins from now on."),
    )  # fmt: skip
    idle_minutes = models.PositiveSmallIntegerField(
        _("lock the screen after (minutes)"), null=True, blank=True, default=30,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
        help_text=_("After no key press or click. A PIN or the password unlocks it. Empty: never."),
    )  # fmt: skip
    void_limit = limit(
        _("void bills up to"), _("Above this amount only a manager may do it. Empty: no limit. 0: managers only.")
    )
    credit_limit = limit(_("credit up to"), _("As above, for each credit note."))
    discount_limit = limit(
        _("discount up to"), _("As above, for all discounts of a bill together, prices below the price list included.")
    )
    refund_limit = limit(_("refund up to"), _("As above, for refunds and reversed payments."))

    class Meta:
        verbose_name = _("settings of the clinic")
        verbose_name_plural = _("settings of the clinic")

    FIELDS: ClassVar = (
        "name", "address", "phone", "tax_number", "legal_details", "language", "weight_unit", "temperature_unit",
        "hours", "holidays", "consult_minutes", "vaccination_minutes", "surgery_minutes", "follow_up_minutes",
        "prices_include_tax", "cash_coin", "vets_may_bill", "readonly_may_take_records",
        "appointment_reminder_days", "reminders_a_day",
        "second_factor", "session_hours", "idle_minutes",
        "void_limit", "credit_limit", "discount_limit", "refund_limit",
    )  # fmt: skip
    """What the page shows, in its order."""

    logo_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    """SHA-256 of the logo, so that a page knows whether there is one and a browser when it has changed."""

    def __str__(self) -> str:
        return self.name


class ClinicLogo(Record):
    """The picture on the clinic's papers: one row, or none. Apart from the settings, which every page reads."""

    MAX_BYTES: ClassVar = 256 * 1024

    content_type = models.CharField(max_length=40, editable=False)
    content = models.BinaryField()

    class Meta:
        verbose_name = _("logo of the clinic")
        verbose_name_plural = _("logo of the clinic")

    def __str__(self) -> str:
        return self.content_type
