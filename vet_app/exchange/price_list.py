"""A price list from a file: new entries are added, and those whose code is known get the file's price.

Bills that are written keep their prices. What the file does not name stays as it is.
"""

from __future__ import annotations

import collections
from decimal import Decimal
from typing import Any, Counter, Dict, List, Optional, Tuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from audit.actor import Actor
from clinic.models import Product
from clinic.money import shown_price
from clinic.normalization import fold
from clinic.services.catalogue import save_entry
from exchange.csv_in import Line, Table
from exchange.report import Outcome, Problem, Row
from exchange.values import number

MOST_NAMED = 20
KINDS = {
    "medicine": "medicine", "drug": "medicine", "medication": "medicine", "medikament": "medicine",
    "arzneimittel": "medicine", "medicament": "medicine", "goods": "goods", "product": "goods", "food": "goods",
    "retail": "goods", "ware": "goods", "futter": "goods", "inventory": "goods", "service": "service",
    "services": "service", "procedure": "service", "treatment": "service", "leistung": "service",
    "dienstleistung": "service", "behandlung": "service", "prestation": "service", "acte": "service",
    "medicine/drug": "medicine", "produit": "goods", "marchandise": "goods",
}  # fmt: skip
"""What programs call the kinds. Anything else is a service, and the preview says so."""


class PriceWriter:
    """Writes the rows of one price list, and tells for each what became of it."""

    def __init__(self, actor: Actor, table: Table) -> None:
        self._actor, self._table = actor, table
        self._known = {product.code.casefold(): product for product in Product.objects.all()}
        self._seen: Counter[str] = collections.Counter()
        self.unknown_kinds: List[str] = []
        self.created: Counter[str] = collections.Counter()

    def write(self, line: Line) -> Row:
        """Add or change what a row names. Call it inside of a transaction."""
        problems, fields = list(line.problems), self._fields(line)
        code = str(fields.get("code", ""))
        for key, value in fields.items():
            if isinstance(value, ValueError):
                problems.append(Problem(self._table.heading(key), str(value)))
        self._seen[code.casefold()] += 1
        if code and self._seen[code.casefold()] > 1:
            problems.append(Problem(self._table.heading("code"), _("This code is in the file twice.")))
        known = self._known.get(code.casefold())
        if problems:
            return Row(line.number, Outcome.ERROR, owner=code, problems=tuple(problems))
        try:
            return self._save(line, fields, known)
        except ValidationError as problem:
            refusals = [Problem(self._table.heading(name), text) for name, texts in problem.message_dict.items()
                     for text in texts]  # fmt: skip
            return Row(line.number, Outcome.ERROR, owner=code, problems=tuple(refusals))

    def _save(self, line: Line, fields: Dict[str, Any], known: Optional[Product]) -> Row:
        shown = f"{fields['code']} {fields.get('name') or (known and known.name) or ''}".strip()
        new_price = fields["unit_price"]
        if known is None:
            whole = {"kind": Product.Kind.SERVICE, "tax_rate": Decimal(0), "active": True, **fields}
            save_entry(self._actor, Product, None, 0, whole)
            self.created["product"] += 1
            return Row(line.number, Outcome.NEW, owner=shown, pet=shown_price(new_price), created=("product",))
        changed = {name: value for name, value in fields.items() if name != "code" and getattr(known, name) != value}
        if not changed:
            return Row(line.number, Outcome.KNOWN, owner=shown, pet=shown_price(known.unit_price))
        prices = f"{shown_price(known.unit_price)} → {shown_price(new_price)}"
        save_entry(self._actor, Product, known.pk, known.version, changed)
        self.created["price"] += 1
        return Row(line.number, Outcome.NEW, owner=shown, pet=prices, created=("price",))

    def _fields(self, line: Line) -> Dict[str, Any]:
        """What the row says; a ValueError in the place of what cannot be read. What the file lacks is left out."""
        cells = line.cells
        fields: Dict[str, Any] = {"code": cells.get("code", "") or ValueError(_("This cell is empty."))}
        if cells.get("name"):
            fields["name"] = cells["name"]
        if cells.get("kind"):
            fields["kind"] = self._kind(cells["kind"])
        for key in ("unit_price", "tax_rate"):
            try:
                value = number(cells.get(key, ""))
            except ValueError as problem:
                fields[key] = problem
                continue
            if value is not None:
                fields[key] = value
            elif key == "unit_price":
                fields[key] = ValueError(_("This cell is empty."))
        return fields

    def _kind(self, word: str) -> str:
        if fold(word) not in KINDS and word not in self.unknown_kinds:
            self.unknown_kinds.append(word)
        return KINDS.get(fold(word), Product.Kind.SERVICE)

    def notes(self) -> List[str]:
        """What to know before the list is imported."""
        if not self.unknown_kinds:
            return []
        message = _("These kinds are not known and become services: %(kinds)s. Map them if they are something else.")
        return [message % {"kinds": ", ".join(word[:40] for word in self.unknown_kinds[:MOST_NAMED])}]


def rows_of(actor: Actor, table: Table) -> Tuple[List[Row], Counter[str], List[str]]:
    """Write all rows of a table; the rows of the report, what is new, and what to know of it."""
    writer = PriceWriter(actor, table)
    rows = [writer.write(line) for line in table]
    return rows, writer.created, writer.notes()
