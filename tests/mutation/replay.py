"""Pytest plugin: collect the tests once, and fork a process for each mutant that stands in ``mutants.jsonl``.

In a fork synth hands out the kept files with one leaf damaged, and starts no Node. It ends with the first test that fails. What it found is a
line in ``results.jsonl``, so that a run goes on where it stopped.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from jsii import _runtime

import main
from tests.mutation.leaves import Leaf, damaged
from tests.mutation.record import FOLDER, TESTS, kept

MUTANTS, RESULTS = FOLDER / "mutants.jsonl", FOLDER / "results.jsonl"

TIMEOUT_SECONDS = 300
"""Seconds of computing after which a mutant is given up; a busy machine takes none of them."""


class Kept:
    """An app whose synth hands out what was kept, damaged."""

    def __init__(self, settings: Any, outdir: str | None, mutant: dict[str, Any]) -> None:
        self.source, self.outdir, self.mutant = kept(settings), outdir or "cdktf.out", mutant

    def synth(self) -> None:
        """Write all files."""
        if not self.source.exists():
            raise FileNotFoundError("these settings were not synthesised when the tests were recorded")
        shutil.copytree(self.source, self.outdir, dirs_exist_ok=True)
        family = self.mutant["stack"].endswith("-helm")
        for path in Path(self.outdir).glob("stacks/*/cdk.tf.json"):
            stack = path.parent.name
            alike = self.mutant["everywhere"] and stack.endswith("-helm") == family
            if stack == self.mutant["stack"] or alike:
                self._damage(Leaf(stack, tuple(self.mutant["steps"]), self.mutant["change"]), path)

    def _damage(self, leaf: Leaf, path: Path) -> None:
        try:
            document, _ = damaged(json.loads(path.read_text()), leaf, random.Random(self.mutant["choice"]))
        except (LookupError, TypeError, ValueError):
            return  # other settings have no such leaf
        path.write_text(json.dumps(document, indent=2))


class Replay:
    """Runs the collected tests on each mutant."""

    def __init__(self) -> None:
        self.killed: dict[str, Counter[str]] = defaultdict(Counter)
        self.killed_anywhere: Counter[str] = Counter()
        self.failure: str | None = None
        self.asked = False
        self.seconds: dict[str, float] = json.loads(TESTS.read_text())["seconds"]

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Only tests that stand on the JSON."""
        items[:] = [item for item in items if item.nodeid in self.seconds]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the first failure; that a test asks Node, whose pipe belongs to the first process, is none."""
        if report.failed and self.failure is None and not self.asked:
            self.failure = report.nodeid
        if report.when == "teardown":
            self.asked = False

    def _refuse(self, *_: Any) -> None:
        self.asked = True
        raise RuntimeError("a mutant has no Node")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the mutants that have no result yet in turn."""
        items = {item.nodeid: item for item in session.items}
        mutants = [json.loads(line) for line in MUTANTS.read_text().splitlines()]
        done = {line["kind"]: line for line in map(json.loads, _lines(RESULTS))}
        for line in done.values():
            self._learn(line)
        screen = os.fdopen(os.dup(2), "w")
        for number, mutant in enumerate(mutants, start=1):
            if mutant["kind"] in done:
                continue
            start = time.monotonic()
            result = {**mutant, "test": self._forked(mutant, items)}
            self._learn(result)
            with RESULTS.open("a") as file:
                file.write(json.dumps(result) + "\n")
            test = result["test"] or "NOBODY NOTICED"
            screen.write(f"{number}/{len(mutants)} {time.monotonic() - start:.1f} s  {mutant['kind']}: {test}\n")
            screen.flush()
        return True

    def _learn(self, result: dict[str, Any]) -> None:
        """Who noticed damage to this type, and to any; such tests come first next time."""
        if test := result["test"]:
            self.killed[result["place"]][test] += 1
            self.killed_anywhere[test] += 1

    def _order(self, place: str, items: dict[str, Any]) -> list[Any]:
        here, anywhere = self.killed[place], self.killed_anywhere
        return sorted(
            items.values(), key=lambda item: (-here[item.nodeid], -anywhere[item.nodeid], self.seconds[item.nodeid])
        )

    def _forked(self, mutant: dict[str, Any], items: dict[str, Any]) -> str | None:
        """The test that noticed, or None."""
        read, write = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            signal.setitimer(signal.ITIMER_PROF, TIMEOUT_SECONDS)
            answer = self._noticed(mutant, self._order(mutant["place"], items))
            os.write(write, json.dumps(answer).encode())
            os._exit(0)  # without what pytest, jsii and cdktf do at the end: that is the first process's to do
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        answer: str | None = json.loads(text) if text else f"no answer in {TIMEOUT_SECONDS} s"
        return answer

    def _noticed(self, mutant: dict[str, Any], order: list[Any]) -> str | None:
        kernel: Any = type(_runtime.kernel.provider._process)
        kernel.send = self._refuse
        vars(main)["build_app"] = lambda settings, outdir=None: Kept(settings, outdir, mutant)
        with tempfile.TemporaryDirectory() as folder:
            order[0].config._tmp_path_factory._basetemp = Path(folder)
            for item, following in zip(order, [*order[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self.failure:
                    break
        return self.failure


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    config.pluginmanager.register(Replay())
