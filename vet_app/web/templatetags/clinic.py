"""Template tags of the pages: money, age, fields of forms, links with a changed query."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Dict, List, Optional

from django import template
from django.forms import BoundField, CheckboxInput
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import units
from clinic.money import shown_money, shown_price, with_currency

register = template.Library()


@register.filter
def money(value: Optional[Decimal]) -> str:
    """An amount with the currency, as the language writes it."""
    return "" if value is None else with_currency(value)


@register.filter
def amount(value: Optional[Decimal]) -> str:
    """An amount without the currency, for columns."""
    return "" if value is None else shown_money(value)


@register.filter
def price(value: Optional[Decimal]) -> str:
    """The price of one unit, which may be finer than the currency."""
    return "" if value is None else shown_price(value)


@register.filter
def full_date(day: date) -> str:
    """A day with its weekday; a time is taken as the clinic's clock has it."""
    local = timezone.localtime(day) if isinstance(day, datetime) else day
    weekday, rest = formats.date_format(local, "l"), formats.date_format(local, "DATE_FORMAT")
    return _("%(weekday)s, %(date)s") % {"weekday": weekday, "date": rest}


@register.filter
def age(birth: Optional[date]) -> str:
    """How old an animal is today: weeks for the youngest, months up to two years, then years."""
    return age_on(birth, timezone.localdate())


@register.filter
def age_on(birth: Optional[date], day: date) -> str:
    """How old an animal was on a day."""
    if birth is None:
        return ""
    days = (day - birth).days
    if days < 84:
        weeks = days // 7
        return ngettext("%(count)d week", "%(count)d weeks", weeks) % {"count": weeks}
    months = int(days / 30.44)
    if months < 24:
        return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}
    years = int(days / 365.25)
    return ngettext("%(count)d year", "%(count)d years", years) % {"count": years}


@register.inclusion_tag("web/includes/field.html")
def field(bound: BoundField) -> Dict[str, Any]:
    """A field with its label, help and errors, tied together for screen readers."""
    attributes: Dict[str, Any] = {}
    described = []
    if bound.help_text:
        described.append(f"{bound.id_for_label}_help")
    if bound.errors:
        described.append(f"{bound.id_for_label}_error")
        attributes["aria-invalid"] = "true"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return {
        "field": bound,
        "widget": bound.as_widget(attrs={**bound.field.widget.attrs, **attributes}),
        "checkbox": isinstance(bound.field.widget, CheckboxInput),
    }


@register.simple_tag(takes_context=True)
def page_link(context: Dict[str, Any], number: int) -> str:
    """The query of this page with another page number."""
    query = context["request"].GET.copy()
    query["page"] = number
    return f"?{query.urlencode()}"


@register.filter
def yesno_text(value: Optional[bool]) -> str:
    """Yes, no, or a dash for unknown."""
    return "–" if value is None else str(_("yes") if value else _("no"))


@register.simple_tag
def css_class(value: str) -> SafeString:
    """A status as the name of a CSS class."""
    return SafeString(value.replace("_", "-"))


@register.filter
def split(words: str) -> List[str]:
    """Words as a list."""
    return words.split()


@register.filter
def item(mapping: Any, name: str) -> Any:
    """One value of a mapping, or nothing."""
    return mapping.get(name)


@register.filter
def measure(value: Optional[Decimal]) -> str:
    """A measurement in the language's own form, without the zeros that its column adds: 12.4 for 12.400."""
    return "" if value is None else formats.number_format(f"{value.normalize():f}", use_l10n=True)


@register.filter
def weight(value: Optional[Decimal]) -> str:
    """A weight in the clinic's unit."""
    return units.formatted("weight_kg", value)


@register.filter
def temperature(value: Optional[Decimal]) -> str:
    """A temperature in the clinic's unit."""
    return units.formatted("temp_c", value)


@register.simple_tag
def told_apart(pet: Any, *, owner: bool = True) -> SafeString:
    """What tells an animal from another of the same name, small beside its name: species, owner and number."""
    owner_name = format_html("<bdi>{}</bdi> · ", pet.owner.full_name) if owner else ""
    return format_html('<small class="apart">{} · {}{}</small>', pet.species, owner_name, pet_number(pet))


@register.filter
def bdi(name: Any) -> SafeString:
    """A name in its own direction within a sentence of another: Arabic names do not turn the signs beside them."""
    return format_html("<bdi>{}</bdi>", name)


@register.filter
def item_at(pairs: Any, position: int) -> Any:
    """The words of a column, by its place."""
    return pairs[position][0]


@register.simple_tag
def pet_number(pet: Any) -> str:
    """The number of an animal, as it is said and searched for."""
    return str(_("no. %(number)d") % {"number": pet.pk})
