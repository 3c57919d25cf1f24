"""From the YAML files in ``environments/`` to :class:`Settings`, or to every error of all files together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from settings import helm_values
from settings.documents import MergedDocument, SettingsDocument, merged, read
from settings.environment import Environment
from settings.former_keys import FormerKey, use_present_keys
from settings.names import Names
from settings.problems import STALE, Finding, Problem, SettingsError, SettingsWarning
from settings.project import PLACEHOLDERS, Project
from settings.rules import COMPARISONS, ERRORS, PROJECT_ERRORS, WARNINGS, Facts, run_rules
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
    """All environments, sorted by name."""

    warnings: tuple[SettingsWarning, ...]
    """What a team should know of; those that it acknowledged say so. Sorted by file and line."""

    former_keys: tuple[FormerKey, ...] = ()
    """Former names of settings in the files, which go on working. Sorted by file and line."""

    def environment(self, name: str) -> Environment:
        """The environment of that name; KeyError if there is none."""
        return {environment.name: environment for environment in self.environments}[name]


@dataclass(frozen=True)
class Loaded:
    """The project's values or an environment, on the way to being valid."""

    layers: MergedDocument
    """What its files say."""

    facts: Facts
    """What is valid of it, by section."""

    problems: tuple[Problem, ...]
    """What is wrong with it by itself."""


def load(directory: Path = ENVIRONMENTS) -> Settings:
    """Read and check every environment in ``directory``.

    ``_project.yaml`` holds the first-day values, ``_common.yaml`` what environments share; every other ``*.yaml`` is
    one environment, named by its file and merged over the common values (maps key by key, lists replaced).

    Raises:
        SettingsError: with every problem of every file.
    """
    documents = {path.name: read(path, f"{directory.name}/{path.name}") for path in sorted(directory.glob("*.y*ml"))}
    former = [each for name, document in documents.items() if name != PROJECT for each in use_present_keys(document)]
    problems = [*_misnamed(documents), *(problem for document in documents.values() for problem in document.problems)]
    project = _project(documents, directory)
    environments = {
        name.removesuffix(".yaml"): _environment(name.removesuffix(".yaml"), documents, project.facts)
        for name in documents
        if name.endswith(".yaml") and not name.startswith("_")
    }
    problems += _left_over(environments)
    for candidate in (project, *environments.values()):
        problems += candidate.problems
    problems += _between(environments)
    if not environments:
        rule = "must hold an environment: a .yaml file whose name does not start with _"
        problems.append(Problem(f"{directory.name}/", 1, "", "", rule, "write one, such as dev.yaml"))
    if problems:
        raise SettingsError(problems)
    return Settings(
        project.facts["project"],
        tuple(Environment.model_validate(candidate.layers.data) for candidate in environments.values()),
        tuple(sorted(warning for candidate in environments.values() for warning in _warnings(candidate))),
        tuple(former),
    )


def checked(project: Project, *environments: Environment) -> Settings:
    """Settings that were made in Python, held against the same rules as those from files.

    Raises:
        SettingsError: with every problem of every environment; in the place of a file stands the environment's name.
    """
    candidates = {environment.name: _made(project, environment) for environment in environments}
    problems = [
        MergedDocument({}, (SettingsDocument("project"),)).problem(finding)
        for finding in run_rules(PROJECT_ERRORS, {**dict(project), "project": project})
    ]
    problems += [problem for candidate in candidates.values() for problem in candidate.problems]
    problems += _between(candidates)
    if problems:
        raise SettingsError(problems)
    warnings = sorted(warning for candidate in candidates.values() for warning in _warnings(candidate))
    return Settings(project, tuple(sorted(environments, key=lambda each: each.name)), tuple(warnings))


def _made(project: Project, environment: Environment) -> Loaded:
    names = Names(project, environment)
    facts = {**dict(environment), "project": project, "names": names}
    layers = MergedDocument(
        environment.model_dump(mode="json"), (SettingsDocument(f"environment {environment.name}"),), facts
    )
    return Loaded(layers, facts, tuple(map(layers.problem, run_rules(ERRORS, facts))))


def placeholders_left(project: Project, directory: Path = ENVIRONMENTS) -> list[Problem]:
    """First-day values that are still as they came. Guided commands stop at them; synth does not."""
    layers = _layers({PROJECT: read(directory / PROJECT, f"{directory.name}/{PROJECT}")}, PROJECT, directory)
    remedies = {
        "account_id": "write your AWS account's 12 digits, in quotes (aws sts get-caller-identity)",
        "domain": "write a domain that you own",
        "email": "write an address that you read: Let's Encrypt and alarms write to it",
        "state_bucket": "choose a name that is unique in all of AWS, such as one that starts with your company's",
    }
    return [
        layers.problem(
            Finding((key,), "must be your own value: this is the placeholder that the project came with", remedies[key])
        )
        for key, placeholder in PLACEHOLDERS.items()
        if getattr(project, key) == placeholder
    ]


def _left_over(environments: Iterable[str]) -> Iterator[Problem]:
    """An environment's values stand in its own file; nobody's are dropped without a word."""
    for name, paths in helm_values.left_over(environments).items():
        for path in paths:
            rule = "must not be there: nothing reads it, since an environment's values are checked and planned as its other settings are"
            remedy = f"move what it says to environments/{name}.yaml, below values: {{{path.stem}: ...}}, and delete it"
            yield Problem(f"helm-values/{name}/{path.name}", 1, "", "", rule, remedy)


def _misnamed(documents: Mapping[str, SettingsDocument]) -> Iterator[Problem]:
    for name, document in documents.items():
        if not name.endswith(".yaml"):
            yield Problem(
                document.file,
                1,
                "",
                "",
                "must end with .yaml to be an environment",
                f"rename it to {Path(name).stem}.yaml",
            )
        elif name.startswith("_") and name not in (PROJECT, COMMON):
            rule = f"must not start with _: only {PROJECT} and {COMMON} do, and nothing reads this file"
            yield Problem(document.file, 1, "", "", rule, "rename it, or remove it")


def _layers(documents: Mapping[str, SettingsDocument], file: str, directory: Path | None = None) -> MergedDocument:
    """A file over the common values, or the project's file by itself."""
    names = [file] if file == PROJECT else [file, COMMON]
    present = tuple(documents[name] for name in names if name in documents)
    data: dict[str, Any] = {}
    for document in reversed(present):
        data = merged(data, document.data)
    return MergedDocument(data, present or (SettingsDocument(f"{directory.name if directory else ''}/{file}"),))


def _project(documents: Mapping[str, SettingsDocument], directory: Path) -> Loaded:
    layers = _layers(documents, PROJECT, directory)
    facts, findings = validate(Project, layers.data, complete=layers.readable)
    layers = replace(layers, valid=facts)
    if facts.keys() == Project.model_fields.keys():
        facts = {**facts, "project": Project.model_validate(facts)}
    findings += run_rules(PROJECT_ERRORS, facts)
    return Loaded(layers, facts, tuple(map(layers.problem, findings)))


def _environment(name: str, documents: Mapping[str, SettingsDocument], project: Facts) -> Loaded:
    layers = _layers(documents, f"{name}.yaml")
    findings = []
    if "name" in layers.data:
        findings.append(
            Finding(("name",), "is not a setting: an environment is named by its file", "remove it, or rename the file")
        )
    layers = replace(layers, data=_completed(layers.data, name, project))
    facts, wrong = validate(Environment, layers.data, complete=layers.readable)
    layers = replace(layers, valid=facts)
    if "project" in project:
        facts = {**facts, "project": project["project"]}
        if facts.keys() >= {"name", "region", "tags"}:
            facts["names"] = Names(project["project"], Environment.model_construct(**facts))
    findings += [*wrong, *run_rules(ERRORS, facts)]
    return Loaded(layers, facts, tuple(map(layers.problem, findings)))


def _completed(data: dict[str, Any], name: str, project: Facts) -> dict[str, Any]:
    """With the name, region and zone that the file need not say, and ``{domain}`` replaced."""
    domain = project.get("domain", PLACEHOLDERS["domain"])
    data = {"region": project.get("region", Project.model_fields["region"].default), **data, "name": name}
    if isinstance(hosts := data.get("hosts"), dict):
        data["hosts"] = {key: _with_domain(host, domain) for key, host in hosts.items()}
        application = data["hosts"].get("application")
        if isinstance(application, str):
            data.setdefault("dns_zone", domain if application == domain else application.partition(".")[2])
    if "dns_zone" in data:
        data["dns_zone"] = _with_domain(data["dns_zone"], domain)
    return data


def _with_domain(host: Any, domain: str) -> Any:
    return host.replace("{domain}", domain) if isinstance(host, str) else host


def _between(environments: Mapping[str, Loaded]) -> Iterator[Problem]:
    facts = {name: candidate.facts for name, candidate in environments.items()}
    for rule in COMPARISONS:
        for name, finding in rule(facts):
            yield environments[name].layers.problem(finding)


def _warnings(candidate: Loaded) -> Iterator[SettingsWarning]:
    name, acknowledged = candidate.facts["name"], candidate.facts["acknowledged_warnings"]
    findings = [(code, finding) for code, rule in WARNINGS.items() for finding in run_rules([rule], candidate.facts)]
    codes = {code for code, _ in findings}
    for code in acknowledged.keys() - codes:
        rule = "is no longer needed: this warning does not occur"
        findings.append(
            (
                STALE,
                Finding(
                    ("acknowledged_warnings", code), rule, "remove it, or move it to the environment that it is for"
                ),
            )
        )
    for code, finding in findings:
        yield SettingsWarning(
            **vars(candidate.layers.problem(finding)), code=code, environment=name, acknowledged=acknowledged.get(code)
        )
