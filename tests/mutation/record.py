"""Pytest plugin: run the tests as they are, and keep what the damaged runs need.

That is what ``main.build_app(...).synth()`` writes for each set of settings, which tests stand on it, and how long they take.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import main

FOLDER = Path(os.environ.get("VET_MUTATION", ".cache/mutation"))
"""Where what is kept and found lies."""

TESTS = FOLDER / "tests.json"
"""Which tests stand on the JSON, with their seconds, and which failed as it was."""


def kept(settings: Any) -> Path:
    """Folder with what these settings synthesise to."""
    text = repr((settings.project, settings.environments))
    return FOLDER / "kept" / hashlib.sha256(text.encode()).hexdigest()[:16]


class Record:
    """Keeps what is synthesised, and says which tests stand on it."""

    def __init__(self) -> None:
        self.running: list[tuple[str, str]] = []
        self.synthesising: set[tuple[str, str]] = set()
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def wrapped(self, build: Callable[..., Any]) -> Callable[..., Any]:
        """``main.build_app`` whose apps leave a copy of what they write."""

        def build_app(settings: Any, outdir: str | None = None) -> Any:
            app = build(settings, outdir)
            synth = app.synth

            def synthesised() -> None:
                synth()
                shutil.copytree(app.outdir, kept(settings), dirs_exist_ok=True)
                self.synthesising.update(self.running)

            app.synth = synthesised
            return app

        return build_app

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Note which fixture is being made."""
        self.running.append((fixturedef.baseid, fixturedef.argname))
        yield
        self.running.pop()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Note which test is running."""
        self.running.append(("", item.nodeid))
        yield
        self.running.pop()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up seconds."""
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what was found."""
        standing = [item.nodeid for item in session.items if self._stands(item) and item.nodeid in self.seconds]
        record = {"failed": self.failed, "seconds": {name: round(self.seconds[name], 3) for name in standing}}
        TESTS.write_text(json.dumps(record, indent=1))

    def _stands(self, item: Any) -> bool:
        fixtures = {
            (definitions[-1].baseid, name)
            for name, definitions in item._fixtureinfo.name2fixturedefs.items()
            if definitions
        }
        return bool(self.synthesising & {("", item.nodeid), *fixtures})


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    record = Record()
    config.pluginmanager.register(record)
    vars(main)["build_app"] = record.wrapped(main.build_app)
