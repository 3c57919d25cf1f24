"""Valid environments that a test may break."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from settings import Problem, Settings, SettingsError, SettingsWarning, end_of_life, load

VALID = Path(__file__).parent / "valid"
"""Environments like the repository's own, but standing still: messages name their lines."""


@dataclass(frozen=True)
class Files:
    """A folder of environments."""

    folder: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace the one place where ``old`` stands."""
        text = (self.folder / file).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}:\n{text}"
        (self.folder / file).write_text(text.replace(old, new))

    def append(self, file: str, text: str) -> None:
        """Add lines at the end."""
        with (self.folder / file).open("a") as stream:
            stream.write(text)

    def line(self, file: str, text: str) -> int:
        """Number of the one line that holds ``text``."""
        lines = (self.folder / file).read_text().splitlines()
        numbers = [number for number, line in enumerate(lines, start=1) if text in line]
        assert len(numbers) == 1, f"{text!r} stands on lines {numbers} of {file}"
        return numbers[0]

    def load(self) -> Settings:
        """Load what is there now."""
        return load(self.folder)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong; fails if nothing is."""
        with pytest.raises(SettingsError) as raised:
            self.load()
        return raised.value.problems

    def only(self) -> Problem:
        """The one thing that is wrong."""
        problems = self.problems()
        assert len(problems) == 1, "\n\n".join(map(str, problems))
        return problems[0]

    def warning(self, code: str) -> SettingsWarning:
        """The one warning of that code."""
        warnings = self.load().warnings
        matches = [warning for warning in warnings if warning.code == code]
        assert len(matches) == 1, f"expected one {code}, found: {[(each.environment, each.code) for each in warnings]}"
        return matches[0]


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has ended is judged on one day: messages name it."""
    monkeypatch.setattr(end_of_life, "today", lambda: date(2026, 11, 29))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The valid environments, in a folder of the test."""
    folder = tmp_path / "environments"
    shutil.copytree(VALID, folder)
    return Files(folder)
