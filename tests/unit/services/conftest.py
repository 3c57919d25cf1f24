"""Environments with services on, synthesised once, and what Helm makes of their releases."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import main
from operations.supply_chain.charts import fetched
from settings import load
from settings.documents import merged
from settings.loader import ENVIRONMENTS
from tests.template import Template
from tests.unit.stacks.conftest import output, read, settings, templates

__all__ = ["output", "settings", "templates"]  # fixtures

ROOT = Path(__file__).parents[3]
MONITORING: Mapping[str, Any] = {
    "enabled": True,
    "alerts": {
        "smtp": {
            "server": "email-smtp.us-east-1.amazonaws.com:587",
            "sender": "alerts@example.com",
            "username": "alerts",
        },
        "webhook": True,
    },
}
Made = Mapping[str, Template]
Manifest = dict[str, Any]
KUBERNETES = {"documented": "1.26.15", "current": "1.35.7"}


def environments(folder: Path, **more: Any) -> Path:
    """The repository's environments with monitoring on and a host for Grafana, and further settings."""
    shutil.copytree(ENVIRONMENTS, folder / "environments")
    for name, host in (("dev", "grafana.dev.{domain}"), ("prod", "grafana.{domain}")):
        file = folder / "environments" / f"{name}.yaml"
        given = {"hosts": {"grafana": host}, "services": {"monitoring": dict(MONITORING)}}
        file.write_text(yaml.safe_dump(merged(merged(yaml.safe_load(file.read_text()), given), more)))
    return folder / "environments"


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """All stacks by release set, or ``hardened``, with monitoring on; each made once."""
    done: dict[str, Made] = {}

    def stacks(which: str) -> Made:
        if which not in done:
            folder = tmp_path_factory.mktemp(which)
            cluster = {"hardening": "cis"} if which == "hardened" else {"release_set": which}
            main.build_app(load(environments(folder, cluster=cluster)), outdir=str(folder / "cdktf.out")).synth()
            done[which] = read(folder / "cdktf.out")
        return done[which]

    return stacks


def values(template: Template, path: str) -> dict[str, Any]:
    """A release's values as Terraform hands them to Helm."""
    (text,) = template.one("helm_release", path)["values"]
    content: dict[str, Any] = json.loads(text)
    return content


def rendered(template: Template, path: str, set_name: str) -> list[Manifest]:
    """What Helm makes of a release, with the chart that it names; skips where Helm or the chart is not available."""
    helm = shutil.which("helm", path=str(ROOT / ".tools")) or shutil.which("helm")
    if not helm:
        pytest.skip("needs Helm 3: run make test-unit, or put helm on PATH")
    release = template.one("helm_release", path)
    chart = ROOT / "helm-values/charts" / release["name"]
    if "version" in release:
        chart = (fetched() or Path("/nonexistent")) / f"{release['chart']}-{release['version']}"
    if not chart.is_dir():
        pytest.skip(f"needs the chart {chart.name}: run make charts")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(release["values"][0])
        file.flush()
        command = [helm, "template", release["name"], str(chart), "-n", release["namespace"], "-f", file.name]
        done = subprocess.run([*command, "--kube-version", KUBERNETES[set_name]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]
