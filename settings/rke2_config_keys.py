"""Which keys ``/etc/rancher/rke2/config.yaml`` may have, by RKE2 version.

RKE2 skips a key that it does not know with nothing but a warning in its log, so that a key of a newer release does
nothing in silence (k3s-io/k3s pkg/configfilearg). The lists in ``settings/releases/rke2_config_keys/`` are made from
RKE2's own source at a tag:

    python -m settings.rke2_config_keys SOURCE_OF_RKE2 VERSION
"""

import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from settings import yaml_text

FOLDER = Path(__file__).parent / "releases" / "rke2_config_keys"
"""Where the lists are."""

RELEASE = Path(".github/workflows/release.yml")
"""How RKE2 is published, in its source; older ones were published by another service."""

PUBLIC = "DOCKER_USERNAME"
"""What :data:`RELEASE` needs to publish images for everybody. Patches for SUSE's customers alone, which are made after a line has ended, have
a tag and release notes like others, and no files that a node could fetch (rancher/rke2 issue 10552 and pull request 8754)."""

Role = Literal["server", "agent"]
"""What a node is in the cluster."""


@cache
def known_keys(version: str, role: Role) -> frozenset[str]:
    """Keys that RKE2 of that version, such as ``v1.26.15+rke2r1``, reads on a server or an agent.

    Raises ``LookupError`` when there is no list of that version, and tells how to make it.
    """
    path = FOLDER / f"{version}.yaml"
    if not path.exists():
        raise LookupError(
            f"the configuration keys of RKE2 {version} are not known: make them "
            f"with `python -m settings.rke2_config_keys SOURCE_OF_RKE2 {version}`, the source at that tag"
        )
    return frozenset(yaml_text.load(path.read_text(encoding="utf-8"))[role])


def unknown_keys(version: str, role: Role, keys: Iterable[str]) -> list[str]:
    """Those of ``keys`` that RKE2 would skip. A trailing ``+`` (append to the list) is not part of a key."""
    return sorted({key.removesuffix("+") for key in keys} - known_keys(version, role))


def is_for_everybody(source: Path) -> bool:
    """Whether the release that is made from a checkout of rancher/rke2 can be fetched by everybody."""
    workflow = source / RELEASE
    return not workflow.exists() or PUBLIC in workflow.read_text(encoding="utf-8")


def read_source(source: Path) -> dict[Role, list[str]]:
    """The keys by role, from a checkout of rancher/rke2: flags taken over from K3s, RKE2's own and those of both roles.

    RKE2 wraps the commands of K3s in ``mustCmdFromK3S``, which panics unless it names each of their flags: what it
    does not drop is a key.
    """
    commands = source / "pkg/cli/cmds"
    root = (commands / "root.go").read_text(encoding="utf-8")
    both = _names(root) | _image_names(source, root) | _extra_names(root)
    roles: tuple[Role, ...] = ("server", "agent")
    return {
        role: sorted(both | _role_keys(source, (commands / f"{role}.go").read_text(encoding="utf-8"))) for role in roles
    }


def _role_keys(source: Path, text: str) -> set[str]:
    wrapped = re.search(r"mustCmdFromK3S\(.*?K3SFlagSet\{(.*?)\n\t\}\)", text, re.DOTALL)
    if wrapped is None:
        raise ValueError("this is not the source of RKE2: no mustCmdFromK3S in pkg/cli/cmds")
    flags = re.findall(r'^\t\t"([\w-]+)":\s*(\w+|\{)', wrapped[1], re.MULTILINE)
    own = text.replace(wrapped[1], "")
    return {name for name, option in flags if option != "dropFlag"} | _names(own) | _shared_names(source, own)


def _shared_names(source: Path, text: str) -> set[str]:
    """Flags that a command takes from the package ``rke2``, as in ``rke2.CNIFlag``."""
    package = "".join(path.read_text(encoding="utf-8") for path in sorted((source / "pkg/rke2").glob("*.go")))
    declared = dict(re.findall(r'(\w+Flag)\s*= &cli\.\w+\{\s+Name:\s+"([\w-]+)"', package))
    return {declared[flag] for flag in re.findall(r"^\t\trke2\.(\w+Flag),", text, re.MULTILINE)}


def _names(text: str) -> set[str]:
    return set(re.findall(r'Name:\s+"([a-z][\w-]+)"', text))


def _image_names(source: Path, root: str) -> set[str]:
    constants = dict(
        re.findall(
            r'^\t(\w+)\s*= "([\w-]+-image)"',
            (source / "pkg/images/images.go").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    return {constants[name] for name in re.findall(r"Name:\s+images\.(\w+),", root)}


def _extra_names(root: str) -> set[str]:
    """``Name: rke2.KubeAPIServer + "-extra-mount"`` is kube-apiserver-extra-mount."""
    parts = {"KubeAPIServer": "kube-apiserver"}
    return {
        parts.get(name, re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()) + suffix
        for name, suffix in re.findall(r'Name:\s+\w+\.(\w+) \+ "(-extra-\w+)"', root)
    }


def main(arguments: list[str]) -> int:
    """Write the list of one version; returns the exit status."""
    if len(arguments) != 2:
        print("usage: python -m settings.rke2_config_keys SOURCE_OF_RKE2 VERSION", file=sys.stderr)
        return 2
    source, version = Path(arguments[0]), arguments[1]
    if not is_for_everybody(source):
        print(
            f"RKE2 {version} is for SUSE's customers alone: {RELEASE} publishes it nowhere else, so no node could fetch it. "
            "Take an earlier patch of the line, or a newer line.",
            file=sys.stderr,
        )
        return 1
    path = FOLDER / f"{version}.yaml"
    head = f"# Keys of config.yaml that RKE2 {version} knows, made by `python -m settings.rke2_config_keys`.\n"
    path.write_text(head + yaml.safe_dump(read_source(source), sort_keys=False), encoding="utf-8")
    print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
