"""Emulator, state bucket and both environments: each made once, by the programs that people run."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from operations.devtools.emulator import Emulator
from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.devtools.emulator.stack import Stack, provider_versions
from operations.shared.errors import Failure
from settings import Settings, load
from settings.names import STATE_STACK
from tests.apply import identities
from tests.apply.reader import LimitedReader


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The repository's own environments."""
    return load()


@pytest.fixture(scope="session")
def emulated(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Account]:
    """An empty account; at its end, the versions of the providers that called it are noted for the report."""
    folder = tmp_path_factory.mktemp("apply")
    with account_or_skip(folder, settings) as emulation:
        yield emulation
    pytestconfig.stash[PROVIDERS] = provider_versions(folder / "emulator.log")


@contextmanager
def account_or_skip(folder: Path, settings: Settings) -> Iterator[Account]:
    """An empty account; without Terraform or a provider the test is skipped, or fails where they are required."""
    with ExitStack() as keep:
        try:
            emulation = keep.enter_context(account(folder, settings))
        except Failure as failure:
            skip_or_fail(str(failure))
        yield emulation


@pytest.fixture(scope="session")
def workspace(emulated: Account) -> Path:
    """The folder with ``cdktf.out/``."""
    return emulated.folder


@pytest.fixture(scope="session")
def emulator(emulated: Account) -> Emulator:
    """The emulator that plays the account."""
    return emulated.emulator


def skip_or_fail(reason: str) -> NoReturn:
    """Skip, or fail where the providers are required."""
    if os.environ.get("VET_REQUIRE_PROVIDERS") == "1":
        pytest.fail(f"VET_REQUIRE_PROVIDERS=1, but {reason}")
    pytest.skip(reason)


PROVIDERS = pytest.StashKey[set[str]]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells the first what it noted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["providers"] = sorted(session.config.stash.get(PROVIDERS, set()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The first process collects what the others noted."""
    versions = getattr(node, "workeroutput", {}).get("providers", [])
    node.config.stash[PROVIDERS] = node.config.stash.get(PROVIDERS, set()) | set(versions)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was really run, which may stand in for the version that the JSON asks for; and show the steps of a year with their times."""
    versions = config.stash.get(PROVIDERS, set())
    if versions:
        terminalreporter.write_line(f"AWS provider that ran, by its own word: {', '.join(sorted(versions))}")
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.stats.get(outcome, [])]
    steps = [each for each in reports if each.when == "call" and "test_year.py" in each.nodeid]
    if steps:
        terminalreporter.write_line("\n| | step of the year | what was said | time |\n|---|---|---|---|")
    for report in sorted(steps, key=lambda each: each.start):
        name = report.nodeid.partition("::")[2].removeprefix("test_").replace("_", " ")
        step = name.partition("[")[2].removesuffix("]") or name
        minutes, seconds = divmod(round(report.duration), 60)
        line = dict(report.user_properties).get("said", "")
        terminalreporter.write_line(f"| {report.outcome} | {step} | {str(line).strip()} | {minutes}:{seconds:02} |")


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Clients:
    """Clients of the emulator."""
    return clients(emulator.environment)


@pytest.fixture(scope="session")
def first_state(emulated: Account) -> str:
    """Output of the account's first ``make state``."""
    return emulated.make_state()


@pytest.fixture(scope="session")
def second_state(emulated: Account, first_state: str) -> str:
    """Output of another ``make state`` right after it."""
    return emulated.make_state()


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same with workflows and operators that AWS trusts."""
    return identities.trusting(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="session")
def stacks(emulated: Account, trusted: Settings, second_state: str) -> dict[str, Stack]:
    """The three stacks of the infrastructure, applied; the environments side by side, each by its workflow's role and with no other right."""
    identities.make(emulated, identities.PERSON)  # AWS stores no policy for a principal that does not exist
    emulated.synthesise(trusted)
    state = emulated.stack(STATE_STACK)
    state.apply()
    by_name = {f"vet-{name}": emulated.as_workflow(trusted, name) for name in ("dev", "prod")}
    with ThreadPoolExecutor() as pool:
        list(pool.map(Stack.apply, by_name.values()))
    return {STATE_STACK: state, **by_name}


@pytest.fixture(scope="session")
def reader(stacks: dict[str, Stack], emulated: Account, tmp_path_factory: pytest.TempPathFactory) -> LimitedReader:
    """Somebody at home, with both environments deployed."""
    return LimitedReader(tmp_path_factory.mktemp("reader") / "repository", emulated)
