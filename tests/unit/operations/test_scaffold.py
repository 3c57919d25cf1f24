"""``vet new``: what it writes passes the checks of form, connects, and asks for the rest."""

import ast
import shutil
from pathlib import Path

import pytest

from operations.devtools import scaffold
from operations.shared.errors import Failure

ROOT = Path(__file__).parents[3]

CONNECTED = (
    "settings/environment.py",
    "settings/effects.py",
    "tests/everything.py",
    "stacks/infrastructure.py",
    "stacks/helm.py",
    "operations/report/workloads.py",
)
"""Files that get a line."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What the generator reads and writes of the repository."""
    for folder in ("settings", "modules/aws", "modules/platform", "tests/unit/stacks", "helm-values"):
        (tmp_path / folder).mkdir(parents=True)
    for file in CONNECTED:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_a_resource_has_setting_construct_and_test_and_is_connected(repository: Path) -> None:
    scaffold.resource("overview", "aws_cloudwatch_dashboard", repository)
    construct = (repository / "modules/aws/overview.py").read_text()
    assert "dashboard_name=names.base," in construct
    assert "dashboard_body=...," in construct, "what cannot be guessed is left to a person"
    for file in (
        "settings/overview.py",
        "modules/aws/overview.py",
        "tests/unit/stacks/test_overview.py",
        *CONNECTED,
    ):
        ast.parse((repository / file).read_text())
    connected = {
        "settings/environment.py": "overview: OverviewSettings = OverviewSettings()",
        "settings/effects.py": '"overview.enabled": _IN_AWS,',
        "tests/everything.py": '"overview": {"enabled": True},',
        "stacks/infrastructure.py": 'Overview(self, "overview", names=names)',
    }
    for file, line in connected.items():
        assert line in (repository / file).read_text(), file


def test_a_service_has_construct_and_values_and_is_connected(repository: Path) -> None:
    scaffold.service("external-dns", repository)
    assert 'release="external-dns"' in (repository / "modules/platform/external_dns.py").read_text()
    assert (repository / "helm-values/external-dns.yaml").exists()
    assert 'ExternalDns(self, "external_dns", names=names)' in (repository / "stacks/helm.py").read_text()
    assert '"external-dns": "...",' in (repository / "operations/report/workloads.py").read_text()
    for file in ("modules/platform/external_dns.py", *CONNECTED):
        ast.parse((repository / file).read_text())


@pytest.mark.parametrize(
    ("name", "type_", "reason"),
    [
        ("Dash board", "aws_cloudwatch_dashboard", "is no name"),
        ("overview", "aws_no_such_thing", "has no aws_no_such_thing"),
        ("environment", "aws_cloudwatch_dashboard", "exists already"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(name: str, type_: str, reason: str, repository: Path) -> None:
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    with pytest.raises(Failure, match=reason):
        scaffold.resource(name, type_, repository)
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before


def test_a_file_that_has_no_place_for_its_line_leaves_everything_as_it_was(repository: Path) -> None:
    (repository / "tests/everything.py").write_text("")
    with pytest.raises(Failure, match=r"tests/everything.py has no line that begins"):
        scaffold.resource("overview", "aws_cloudwatch_dashboard", repository)
    assert not (repository / "modules/aws/overview.py").exists()
