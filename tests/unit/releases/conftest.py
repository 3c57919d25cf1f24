"""Helm and charts available, and releases rendered with them."""

import os
import shutil
from pathlib import Path

import pytest

from operations.supply_chain.charts import CHARTS, fetched
from settings.helm_values import FOLDER
from settings.release_sets import release_set
from tests.unit.releases.samples import LOCAL, NAMESPACES, Manifest, Render, helm_template, merged

FETCHED = ".tools"
"""Where ``scripts/fetch_helm.py`` puts Helm, in the repository's folder."""


@pytest.fixture(scope="session")
def helm() -> str:
    """Path of Helm: the one named, the one that ``make test-unit`` fetched, or the machine's own."""
    path = os.environ.get("VET_TEST_HELM") or shutil.which("helm", path=FETCHED) or shutil.which("helm")
    if not path:
        pytest.skip("needs Helm 3: run make test-unit, put helm on PATH, or put its path into VET_TEST_HELM")
    return path


@pytest.fixture(scope="session")
def charts() -> Path:
    """Folder with the charts of the release sets, as <chart>-<version>/."""
    folder = fetched()
    if not folder:
        pytest.skip(f"needs the charts of the release sets: run make charts, or set {CHARTS} to a folder with them")
    return folder


@pytest.fixture(scope="session")
def render(request: pytest.FixtureRequest) -> Render:
    """Renders a release of a set in an environment; each once."""
    done: dict[tuple[str, str, str], list[Manifest]] = {}
    helm_path: str = request.getfixturevalue("helm")

    def rendered(release: str, set_name: str, environment: str) -> list[Manifest]:
        key = (release, set_name, environment)
        if key not in done:
            releases = release_set(set_name)
            given = merged(release, set_name, environment)
            version = ["--kube-version", releases.kubernetes]
            if release in LOCAL:
                chart = FOLDER / "charts" / release
                done[key] = helm_template(helm_path, chart, release, LOCAL[release], given, *version)
                return done[key]
            pinned = releases[release]
            chart = request.getfixturevalue("charts") / f"{pinned.chart.name}-{pinned.version}"
            if not chart.is_dir():
                pytest.skip(f"{chart.parent} has no {chart.name}/: make charts brings it")
            more = ["--api-versions", "snapshot.storage.k8s.io/v1"]
            done[key] = helm_template(helm_path, chart, release, NAMESPACES[release], given, *version, *more)
        return done[key]

    return rendered
