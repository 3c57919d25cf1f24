"""What is wrong with the settings, in words that lead to the remedy: file, line, key, value, rule, remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

Key = tuple[str | int, ...]
"""Where a value stands in a document: ``("network", "availability_zones", "a", "public")``."""


MOST_SHOWN = 40
"""Problems that are told at once: more are no help."""

MOST_TOLD = 15_000
"""Characters of all problems together: one wrong list can have many, each with a long rule."""

MOST_CHARACTERS = 160
"""Characters of a file's name, a key or a value that a message shows."""

STALE = "stale-acknowledgement"
"""Code of the warning about an acknowledgement of what is no longer a warning; it cannot be acknowledged itself."""


def dotted(key: Key) -> str:
    """The key as people write it: ``network.nat_gateways[0]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


def shown(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text as a message shows it: bounded, with line breaks and other invisible characters written out."""
    visible = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text[: most + 1]
    )
    return visible if len(text) <= most else f"{visible[:most]}..."


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
    """What to show as the value, if that is not what stands at the key."""


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
        return f"{shown(self.file)}:{self.line}"

    @property
    def subject(self) -> str:
        """Key and value in one line."""
        return " = ".join(shown(part) for part in (self.key, self.value) if part)

    @property
    def explanation(self) -> dict[str, str]:
        """What there is to say about it, by a short label."""
        return {"rule": shown(self.rule, 5 * MOST_CHARACTERS), "remedy": shown(self.remedy, 5 * MOST_CHARACTERS)}

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.place}  {self.subject}", *(f"    {label:<8}{text}" for label, text in self.explanation.items())]
        )


@dataclass(frozen=True, order=True)
class SettingsWarning(Problem):
    """Something that works but that a team should know of. It never stops synth."""

    code: str
    """Short name by which an environment acknowledges it, such as ``small-servers``."""

    environment: str
    """Name of the environment."""

    acknowledged: str | None = None
    """The reason that the team wrote down why this is fine, or None."""

    @property
    def explanation(self) -> dict[str, str]:
        """Of an acknowledged warning only the reason; of another also how to acknowledge it."""
        if self.acknowledged:
            return {"rule": self.rule, "fine": self.acknowledged}
        if self.code == STALE:
            return super().explanation
        return {**super().explanation, "or": f"say why it is fine here: acknowledged_warnings: {{{self.code}: reason}}"}


class SettingsError(Exception):
    """The settings cannot be used. Carries every problem of every file, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        every = tuple(sorted(set(problems)))
        until = accumulate(len(str(each)) for each in every[:MOST_SHOWN])
        self.problems = every[: max(1, sum(length <= MOST_TOLD for length in until))]
        self.untold = len(every) - len(self.problems)
        super().__init__(self.problems)

    @property
    def title(self) -> str:
        """One line about all of them."""
        count = len(self.problems) + self.untold
        first = f" These are the first {len(self.problems)}." if self.untold else ""
        return f"{count} {'error' if count == 1 else 'errors'} in the settings. No files were written.{first}"

    def __str__(self) -> str:
        return "\n\n".join([self.title, *map(str, self.problems)])
