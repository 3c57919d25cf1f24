"""The values of Helm releases: which files they come from, how they are merged, and which keys a chart knows.

A release's values are merged in this order, later ones winning key by key, lists replaced as a whole (Helm's own rule):

1. ``helm-values/<release>.yaml``: what holds everywhere;
2. ``helm-values/<chart>.yaml``: what one of several charts wants that a release may have, where its name is not the release's;
3. ``helm-values/release-sets/<set>/<release>.yaml``: what goes with that set alone;
4. ``helm-values/since/<release>-<version>.yaml``: what the chart wants from that version on, whichever set it is pinned over;
5. the digests of the chart's images (:mod:`settings.images`);
6. what comes from settings or from AWS: hosts, replicas, ARNs;
7. the environment's setting ``values``, which changes nothing that ``settings/protected.py`` names.

The first five belong to the constructs; the others are given to them.

Helm ignores a key that its chart does not know. ``helm-values/keys/`` therefore lists the keys of each chart, made by

    python -m settings.helm_values keys CHART_DIRECTORY
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from settings import yaml_text
from settings.images import digest_values
from settings.release_sets import ComponentRelease, find, parse, release_set

FOLDER = Path(__file__).parent.parent / "helm-values"
"""Where values, lists of keys and local charts are."""

FOLDERS = ("charts", "keys", "release-sets", "since")
"""Folders of ``helm-values/``."""

FREE = frozenset(
    {"affinity", "extraArgs", "extraEnv", "nodeSelector", "resources", "securityContext", "updateStrategy"}
)
"""Keys whose maps charts hand on as they are, whatever their defaults hold."""

Values = dict[str, Any]
"""Values of a release, as in YAML."""


class ValuesError(ValueError):
    """A values file that cannot be used; the message names the file and the remedy."""


def files(release: str, set_name: str, version: str | None = None) -> list[Path]:
    """The values files that exist for a release in every environment, in the order in which they are merged.

    :param version: of the release, where another is pinned than the set's.

    Raises ``ValuesError`` when the release has no file at all.
    """
    base = FOLDER / f"{release}.yaml"
    if not base.exists():
        raise ValuesError(f"helm-values/{base.name} does not exist: every release has one, if only with a comment")
    pinned = _version(release, set_name, version)
    layers = [base, *_of_chart(release, pinned), FOLDER / "release-sets" / set_name / base.name]
    layers += _since(release, pinned)
    return [path for path in layers if path.exists()]


def _version(release: str, set_name: str, given: str | None) -> str | None:
    return given or release_set(set_name).pins.get(release)


def _of_chart(release: str, version: str | None) -> list[Path]:
    """What the release's chart alone wants, where the chart has another name."""
    if version is None or (chart := find(release, version).chart.name) == release:
        return []
    return [FOLDER / f"{chart}.yaml"]


def _since(release: str, version: str | None) -> list[Path]:
    """What the version's chart wants and older ones do not know, oldest first."""
    if version is None:  # a chart of the project's own
        return []
    found = [
        (parse(path.stem.removeprefix(f"{release}-")), path)
        for path in (FOLDER / "since").glob(f"{release}-[0-9]*.yaml")
    ]
    return [path for first, path in sorted(found, key=lambda each: each[0]) if parse(version) >= first]


def values(release: str, set_name: str, *over: Mapping[str, Any], version: str | None = None) -> Values:
    """The merged values of a release.

    :param over: what goes over the files, the last one winning: what comes from settings or AWS, then the setting ``values``.
    :param version: as for :func:`files`.
    """
    layers = [load(path) for path in files(release, set_name, version)]
    return merge(*layers, digest_values(release, _version(release, set_name, version)), *over)


def left_over(environments: Iterable[str]) -> dict[str, list[Path]]:
    """Files of ``helm-values/<environment>/``, by environment: once they were an environment's own values, and nothing reads them any more."""
    files = {name: sorted((FOLDER / name).glob("*.yaml")) for name in environments if name not in FOLDERS}
    return {name: paths for name, paths in files.items() if paths}


def load(path: Path) -> Values:
    """One values file; an empty one has no keys. Raises ``ValuesError`` if it is not YAML or not one map."""
    return merge(_parsed(path, path.read_text(encoding="utf-8")))


@cache
def _parsed(path: Path, text: str) -> Values:
    """What a file holds; every environment has the same files below its own."""
    try:
        documents = [document for document in yaml_text.load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise ValuesError(f"{_shown(path)} is not YAML: {error}") from error
    if len(documents) > 1 or not all(isinstance(document, dict) for document in documents):
        raise ValuesError(f"{_shown(path)} must be one map of keys")
    return documents[0] if documents else {}


def merge(*layers: Mapping[str, Any]) -> Values:
    """Later layers over earlier ones: maps deep, the rest replaced. ``null`` stays: it takes a chart's default away."""
    merged: Values = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            if isinstance(value, Mapping):
                merged[key] = merge(below if isinstance(below, Mapping) else {}, value)
            else:
                merged[key] = value
    return merged


def web_identity(role_arn: str, region: str) -> list[dict[str, str]]:
    """Environment of a container that takes an AWS role by the token that its values project to this path.

    The variables are the SDK's own (docs.aws.amazon.com/sdkref, assume role credential provider).
    """
    return [
        {"name": "AWS_REGION", "value": region},
        {"name": "AWS_ROLE_ARN", "value": role_arn},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/aws/token"},
        {"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"},
    ]


def unknown_keys(release: ComponentRelease, given: Mapping[str, Any]) -> list[str]:
    """Paths in ``given`` that the release's chart does not know, such as ``controller.hostPorts.enabled``."""
    known = known_keys(release)
    return [path for path in _paths(given) if not _is_known(path, known)]


def known_keys(release: ComponentRelease) -> frozenset[str]:
    """Key paths of a release's chart; ``.*`` at the end of one stands for anything below it.

    Raises ``LookupError`` when there is no list for that version, and tells how to make it.
    """
    return _key_list(f"{release.chart.name}-{release.version}")


@cache
def _key_list(chart: str) -> frozenset[str]:
    path = FOLDER / "keys" / f"{chart}.txt"
    if not path.exists():
        raise LookupError(
            f"the keys of {chart} are not known: make helm-values/keys/{path.name} with "
            "`python -m settings.helm_values keys CHART_DIRECTORY`, where the directory is the chart at that version"
        )
    return frozenset(path.read_text(encoding="utf-8").split())


def _is_known(path: str, known: frozenset[str]) -> bool:
    parts = path.split(".")
    return path in known or any(".".join(parts[:end]) + ".*" in known for end in range(1, len(parts) + 1))


def _paths(given: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def read_chart(chart: Path) -> list[str]:
    """Key paths of a chart directory: its default values, what its templates ask for besides, and the keys of the charts in it."""
    paths = set(_chart_paths(load(chart / "values.yaml")))
    for folder in sorted(each.parent for each in (chart / "charts").glob("*/values.yaml")):
        paths |= {f"{folder.name}.{path}" for path in read_chart(folder)}
    templates = [path for path in sorted((chart / "templates").rglob("*")) if path.is_file()]
    asked = {name for path in templates for name in _used(path.read_text(encoding="utf-8"))}
    # The deepest first: where a template asks for `a.b` and tests whether there is an `a`, the keys of `a` are the chart's.
    for used in sorted(asked, key=lambda name: (-name.count("."), name)):
        inside = any(path.startswith(f"{used}.") for path in paths)
        if not inside and not _is_known(used, frozenset(paths)):
            paths.add(f"{used}.*")
    return sorted(paths)


def _used(template: str) -> list[str]:
    return [match.rstrip(".") for match in re.findall(r"\.Values\.([\w.]+)", template)]


def _chart_paths(defaults: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in defaults.items():
        path = f"{prefix}{key}"
        known = isinstance(value, Mapping) and value and key not in FREE and "." not in key
        if known and not _is_free(value):
            yield from _chart_paths(value, f"{path}.")
        elif value is None or isinstance(value, Mapping):
            yield f"{path}.*"
        else:
            yield path


def _is_free(value: Mapping[str, Any]) -> bool:
    """Labels, annotations and the like: their keys are names of things, not of the chart. A file's name, which stands for a map, makes none."""
    return any("." in str(key) or "/" in str(key) for key, found in value.items() if not isinstance(found, Mapping))


def _shown(path: Path) -> str:
    return str(path.relative_to(FOLDER.parent)) if path.is_relative_to(FOLDER.parent) else path.name


def main(arguments: list[str]) -> int:
    """Write the list of keys of one chart; returns the exit status."""
    if len(arguments) != 2 or arguments[0] != "keys":
        print("usage: python -m settings.helm_values keys CHART_DIRECTORY", file=sys.stderr)
        return 2
    chart = Path(arguments[1])
    about = load(chart / "Chart.yaml")
    path = FOLDER / "keys" / f"{about['name']}-{about['version']}.txt"
    path.write_text("\n".join(read_chart(chart)) + "\n", encoding="utf-8")
    print(f"wrote {_shown(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
