"""What is wrong with the settings, in words that lead to the remedy: file, line, key, value, rule, remedy."""

from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[str | int, ...]
"""Where a value stands in a document: ``("network", "zones", "a", "public")``."""


def dotted(key: Key) -> str:
    """The key as people write it: ``network.nat_gateways[0]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


@dataclass(frozen=True)
class Finding:
    """What a rule found, before it is known in which file that key stands."""

    key: Key
    """Where the value stands."""

    rule: str
    """What must hold, and why."""

    remedy: str
    """What to do."""

    value: str | None = None
    """What to show as the value, if that is not simply what stands at the key."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, where, and what to do."""

    file: str
    """File, relative to the repository."""

    line: int
    """Line in the file, from 1. For a key that is missing, the line of what it is missing from."""

    key: str
    """Dotted key; empty where the whole file is meant."""

    value: str
    """What stands there."""

    rule: str
    """What must hold, and why."""

    remedy: str
    """What to do."""

    @property
    def place(self) -> str:
        """File and line, as editors and terminals link them."""
        return f"{self.file}:{self.line}"

    @property
    def subject(self) -> str:
        """Key and value in one line."""
        return " = ".join(part for part in (self.key, self.value) if part)

    def __str__(self) -> str:
        return f"{self.place}  {self.subject}\n    rule    {self.rule}\n    remedy  {self.remedy}"


@dataclass(frozen=True, order=True)
class SettingsWarning(Problem):
    """Something that works but that a team should know of. It never stops synth."""

    code: str
    """Short name by which an environment acknowledges it, such as ``small-servers``."""

    environment: str
    """Name of the environment."""

    acknowledged: str | None = None
    """The reason that the team wrote down why this is fine, or None."""


class SettingsError(Exception):
    """The settings cannot be used. Carries every problem of every file, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        title = f"{count} error{'s' * (count > 1)} in the settings. Nothing was made."
        return "\n\n".join([title, *map(str, self.problems)])
