"""Template tags of the pages: money, age, fields of forms, links with a changed query."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Dict, List, Optional

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.money import shown_money, shown_price

register = template.Library()


@register.filter
def money(value: Optional[Decimal]) -> str:
    """An amount in the language's own form, and the currency."""
    return "" if value is None else f"{shown_money(value)} {settings.CURRENCY}"


@register.filter
def amount(value: Optional[Decimal]) -> str:
    """An amount without the currency, for columns."""
    return "" if value is None else shown_money(value)


@register.filter
def price(value: Optional[Decimal]) -> str:
    """The price of one unit, which may be finer than the currency."""
    return "" if value is None else shown_price(value)


@register.filter
def age(birth: Optional[date]) -> str:
    """How old an animal is: weeks for the youngest, months up to two years, then years."""
    if birth is None:
        return ""
    days = (timezone.localdate() - birth).days
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
