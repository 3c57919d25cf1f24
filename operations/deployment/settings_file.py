"""Write versions, or the application's image, into an environment's file, with everything else in it, comments and order too, as people left it."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from settings.release_sets import ReleaseSet, release_set


def pin(file: Path, releases: ReleaseSet, base: str) -> None:
    """Have the file ask for these versions: a set, and what differs from it.

    :param file: an environment's, such as ``environments/dev.yaml``.
    :param releases: all versions that it is to have.
    :param base: the set to name; what it has of another version stands below ``cluster.versions``.
    """
    versions = differences(releases, base)
    yaml = _yaml()
    document = yaml.load(file.read_text(encoding="utf-8"))
    cluster = document.setdefault("cluster", CommentedMap())
    cluster["release_set"] = base
    if versions:
        cluster["versions"] = versions
    else:
        cluster.pop("versions", None)
    _write(file, yaml, document)


def differences(releases: ReleaseSet, base: str) -> dict[str, str]:
    """What stands below ``cluster.versions`` where the set ``base`` is named and these are wanted."""
    known = release_set(base)
    return {key: version for key, version in releases.pins.items() if known.pins.get(key) != version}


def set_image(file: Path, image: str) -> None:
    """Have the file name the image that the application runs; a file that names it already stays as it is, byte for byte.

    :param image: tag or digest.
    """
    yaml = _yaml()
    document = yaml.load(file.read_text(encoding="utf-8"))
    application = document.setdefault("application", CommentedMap())
    if application.get("image") != image:
        application["image"] = image
        _write(file, yaml, document)


def _write(file: Path, yaml: Any, document: Any) -> None:
    text = io.StringIO()
    yaml.dump(document, text)
    beside = file.with_name(f".{file.name}.new")  # not an environment's name; a full disk leaves the file as it is
    beside.write_text(text.getvalue(), encoding="utf-8")
    beside.replace(file)


def _yaml() -> Any:
    """A reader that keeps comments, quotes, order and the length of lines."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
