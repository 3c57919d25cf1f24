"""Why each cell of the matrix is meant so: ``reasons.yaml``."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from tests.rights.matrix import Cell, home

FILE = Path(__file__).parent / "reasons.yaml"


class Reason(BaseModel):
    """One entry; lists hold patterns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: tuple[str, ...]
    where: str
    resources: tuple[str, ...]
    acts: tuple[str, ...]
    reason: str

    def explains(self, cell: Cell) -> bool:
        """Whether it speaks of a cell."""
        own = cell.environment == home(cell.identity)
        where = {"own": own, "*": True}.get(self.where, cell.environment == self.where)
        named = ((self.who, cell.identity), (self.resources, cell.resource), (self.acts, cell.act))
        return where and all(any(fnmatchcase(text, each) for each in patterns) for patterns, text in named)


@cache
def reasons() -> tuple[Reason, ...]:
    """All of them, in the file's order."""
    return tuple(Reason(**entry) for entry in yaml.safe_load(FILE.read_text()))


def unexpected_changes(cells: Iterable[Cell]) -> list[Cell]:
    """Cells for which nobody has written why."""
    return [cell for cell in cells if not any(reason.explains(cell) for reason in reasons())]
