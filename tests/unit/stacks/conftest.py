"""The application, synthesised once for all tests of stacks."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import main
from settings import Settings, load
from settings.loader import ENVIRONMENTS
from tests.changes import one_environment
from tests.template import Template

Synthesise = Callable[..., Template]
"""Synthesises dev with sections changed: ``dev_with(schedule={"enabled": True})``."""


def synthesise_dev(folder: Path, sections: Mapping[str, Any], stack: str = "vet-dev") -> Template:
    """A stack of dev, which is alone and has sections of its settings changed."""
    main.build_app(load(one_environment(folder, dict(sections))), outdir=str(folder / "cdktf.out")).synth()
    return Template.read(folder / f"cdktf.out/stacks/{stack}/cdk.tf.json")


@pytest.fixture
def dev_with(tmp_path: Path) -> Synthesise:
    """Synthesise dev with sections changed."""
    return lambda **sections: synthesise_dev(tmp_path, sections)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The repository's own environments."""
    return load()


@pytest.fixture(scope="session")
def output(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the synthesised application."""
    folder = tmp_path_factory.mktemp("synth") / "cdktf.out"
    main.build_app(settings, outdir=str(folder)).synth()
    return folder


def synthesised_with(project: str, folder: Path) -> Path:
    """Folder of the stacks of the repository's environments, with lines added to ``_project.yaml``.

    :param project: YAML, such as ``replica_region: us-west-2``.
    """
    shutil.copytree(ENVIRONMENTS, folder / "environments")
    with (folder / "environments/_project.yaml").open("a") as file:
        file.write(f"{project}\n")
    main.build_app(load(folder / "environments"), outdir=str(folder / "cdktf.out")).synth()
    return folder / "cdktf.out/stacks"


def read(folder: Path) -> Mapping[str, Template]:
    """Every stack in a folder of synthesised stacks, by name."""
    return {path.parent.name: Template.read(path) for path in sorted(folder.glob("stacks/*/cdk.tf.json"))}


@pytest.fixture(scope="session")
def templates(output: Path) -> Mapping[str, Template]:
    """Every stack by name."""
    return read(output)


@pytest.fixture(scope="session")
def state(templates: Mapping[str, Template]) -> Template:
    """The stack that exists once per account."""
    return templates["vet-state"]


@pytest.fixture(scope="session")
def dev(templates: Mapping[str, Template]) -> Template:
    """Infrastructure of the development environment."""
    return templates["vet-dev"]


@pytest.fixture(scope="session")
def prod(templates: Mapping[str, Template]) -> Template:
    """Infrastructure of the production environment."""
    return templates["vet-prod"]


@pytest.fixture(scope="session", params=["vet-dev", "vet-prod"])
def infrastructure(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Infrastructure of each environment in turn."""
    return templates[request.param]
