"""What an import did, or would do, row by row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Counter as CounterOf
from typing import List, Sequence, Tuple

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """What becomes of a row."""

    NEW = "new", _("New")
    KNOWN = "known", _("Known already")
    DUPLICATE = "duplicate", _("Possible duplicate")
    ERROR = "error", _("Error")


@dataclass(frozen=True)
class Problem:
    """Something wrong with a row: the heading of its column in the file ("" for the whole row), and a sentence."""

    column: str
    message: str


@dataclass(frozen=True)
class Similar:
    """An owner who is recorded already and may be the one of a row."""

    owner_id: int
    name: str


@dataclass(frozen=True)
class Row:
    """One row of the file; `line` counts as an editor does, the headings are usually line 1.

    `owner`, `pet` and `vaccination` say what the row is about, in words; `created` names which of the three are new.
    """

    line: int
    outcome: Outcome
    owner: str = ""
    pet: str = ""
    vaccination: str = ""
    created: Tuple[str, ...] = ()
    problems: Tuple[Problem, ...] = ()
    similar: Tuple[Similar, ...] = ()


@dataclass
class Report:
    """The outcome of a whole file. With errors nothing is imported, so `problems` or an error row mean: fix the file.

    `problems` concern the file as a whole (no headings, too large, ...), `notes` are worth reading but stop nothing,
    `ignored` are headings nobody knows, `created` counts what is new: {"owner": 3, "pet": 4, "vaccination": 2}.
    """

    applied: bool = False
    encoding: str = ""
    delimiter: str = ""
    ignored: Sequence[str] = ()
    problems: List[Problem] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    rows: List[Row] = field(default_factory=list)
    created: CounterOf[str] = field(default_factory=Counter)

    @property
    def counts(self) -> CounterOf[str]:
        """How many rows have which outcome: {"new": 3, "error": 1}."""
        return Counter(row.outcome.value for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether the file can be imported as it is."""
        return not self.problems and not any(row.outcome is Outcome.ERROR for row in self.rows)
