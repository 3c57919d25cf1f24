"""From the YAML files in ``environments/`` to :class:`Settings`, or to every error of all files together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings.documents import Document, Layers, merged, read
from settings.environment import Environment
from settings.problems import Finding, Problem, SettingsError, SettingsWarning
from settings.project import PLACEHOLDERS, Project
from settings.validation import validate

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "environments"
"""The repository's own environments."""

PROJECT, COMMON = "_project.yaml", "_common.yaml"


@dataclass(frozen=True)
class Settings:
    """Everything that a team decided, checked."""

    project: Project
    """First-day values."""

    environments: tuple[Environment, ...]
    """All environments, by name."""

    warnings: tuple[SettingsWarning, ...]
    """What a team should know of; those that it acknowledged say so."""

    def environment(self, name: str) -> Environment:
        """The environment of that name; KeyError if there is none."""
        return {environment.name: environment for environment in self.environments}[name]


@dataclass(frozen=True)
class Candidate:
    """An environment on its way to being valid."""

    name: str
    layers: Layers
    fields: dict[str, Any]
    """What is valid of it so far, by section."""


def load(directory: Path = ENVIRONMENTS) -> Settings:
    """Read and check every environment in ``directory``.

    ``_project.yaml`` holds the first-day values, ``_common.yaml`` what environments share; every other ``*.yaml`` is one environment,
    named by its file and merged over the common values (maps key by key, lists replaced).

    Raises:
        SettingsError: with every problem of every file.
    """
    documents = {path.name: read(path, f"{directory.name}/{path.name}") for path in _files(directory)}
    problems = [problem for document in documents.values() for problem in document.problems]
    project_layers = _layers(documents, directory, PROJECT)
    project_fields, findings = validate(Project, project_layers.data)
    if all(document.readable for document in project_layers.documents):
        problems += map(project_layers.problem, findings)

    candidates = []
    for name in _environment_files(documents):
        candidate, found = _candidate(name, documents, directory, project_fields)
        candidates.append(candidate)
        problems += found
    if not candidates:
        problems.append(_no_environment(directory))
    if problems:
        raise SettingsError(problems)
    environments = tuple(Environment.model_construct(**candidate.fields) for candidate in candidates)
    return Settings(Project.model_construct(**project_fields), environments, ())


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.y*ml") if path.is_file())


def _environment_files(documents: dict[str, Document]) -> Iterator[str]:
    return (name for name in documents if name not in (PROJECT, COMMON))


def _layers(documents: dict[str, Document], directory: Path, *names: str) -> Layers:
    """The files in one: the first one wins."""
    found = tuple(documents[name] for name in names if name in documents)
    data: dict[str, Any] = {}
    for document in reversed(found):
        data = merged(data, document.data)
    return Layers(data, found or (Document(f"{directory.name}/{names[0]}"),))


def _candidate(file: str, documents: dict[str, Document], directory: Path, project: dict[str, Any]) -> tuple[Candidate, list[Problem]]:
    layers = _layers(documents, directory, file, COMMON)
    name = file.removesuffix(".yaml")
    layers = Layers(_completed(layers.data, name, project), layers.documents)
    fields, findings = validate(Environment, layers.data)
    return Candidate(name, layers, fields), [layers.problem(finding) for finding in findings]


def _completed(data: dict[str, Any], name: str, project: dict[str, Any]) -> dict[str, Any]:
    """With the name, region and zone that the file need not say, and ``{domain}`` replaced."""
    domain = project.get("domain", PLACEHOLDERS["domain"])
    data = {"region": project.get("region"), **data, "name": name}
    hosts = data.get("hosts")
    if isinstance(hosts, dict):
        data["hosts"] = {key: _with_domain(host, domain) for key, host in hosts.items()}
        application = data["hosts"].get("application")
        if isinstance(application, str):
            data.setdefault("zone", application.partition(".")[2])
    if "zone" in data:
        data["zone"] = _with_domain(data["zone"], domain)
    return data


def _with_domain(host: Any, domain: str) -> Any:
    return host.replace("{domain}", domain) if isinstance(host, str) else host


def _no_environment(directory: Path) -> Problem:
    rule = "there must be an environment: every .yaml file whose name does not start with _"
    return Problem(f"{directory.name}/", 1, "", "", rule, "write one, such as dev.yaml")
