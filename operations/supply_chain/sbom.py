"""``make sbom``: what is in the application's image and in the nodes' programs, as CycloneDX, for people who must know what runs.

The image's list is its locks: every Python package with its checksums (``vet_app/requirements``); what Debian brings is the base image's own.
The nodes' list is the bundle with its checksum, and what a node downloads in which version. A library writes and checks the documents
(``operations/supply_chain/sbom_document.py``), in the environment of the policy tools.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from nodes.boot import bundle
from nodes.release import NodeRelease, node_release
from operations.application.images import revision
from operations.shared.errors import Failure
from settings import load

FOLDER = Path("cdktf.out/sbom")
TOOL = Path(".tools/checkov/bin/python")
LOCKS = {"3.9": "app-python39.txt"}
"""The lock of a line of Python that has one of its own, as ``vet_app/tools/environment.py`` chooses it; the others share one."""

MAINTAINED = "app-python3.txt"

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: ; ([^\\\n]+))?", re.MULTILINE)

Part = dict[str, Any]
"""A component: ``type``, ``name``, ``version``, ``purl``, ``sha256``."""


def run() -> None:
    """Write both documents, and the bundle that one of them is about.

    Raises:
        Failure: the library is not installed, or refuses a document.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    archive = FOLDER / "nodes.tar.gz"
    archive.write_bytes(bundle().content)
    written = [archive]
    for name, subject, parts in documents():
        written.append(FOLDER / f"{name}.cdx.json")
        _write(written[-1], subject, parts)
    print("\n".join(map(str, written)))


def documents() -> Iterator[tuple[str, Part, list[Part]]]:
    """Name, subject and components of each document."""
    commit, environments = revision().commit, load().environments
    for python in dict.fromkeys(each.application.python_version for each in environments):
        lock = Path("vet_app/requirements") / LOCKS.get(python, MAINTAINED)
        subject = _part("container", "vet-app", f"{commit}-python{python}")
        yield f"vet-app-python{python}", subject, [*packages(lock.read_text(encoding="utf-8"), python)]
    for release in dict.fromkeys(node_release(each.cluster.releases) for each in environments):
        subject = _part("application", "vet-nodes", bundle().sha256, sha256=bundle().sha256)
        yield f"nodes-{release.rke2.replace('+', '-')}", subject, [*downloads(release)]


def packages(lock: str, python: str) -> Iterator[Part]:
    """The Python packages that a lock in pip's format has for a version of Python, such as ``3.12``."""
    about = {"python_version": python, "python_full_version": f"{python}.99"}
    for name, version, marker in PINNED.findall(lock):
        if marker and not Marker(marker).evaluate(about):
            continue
        yield _part("library", name, version, purl=f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}")


def downloads(release: NodeRelease) -> Iterator[Part]:
    """What a node installs, with the checksums that are known."""
    rke2 = f"pkg:github/rancher/rke2@{release.rke2.replace('+', '%2B')}"
    yield _part("application", "rke2", release.rke2, purl=rke2, sha256=release.rke2_sha256)
    yield _part("application", "kubectl", release.kubectl, sha256=release.kubectl_sha256)
    yield _part("application", "ecr-credential-provider", release.ecr_provider, sha256=release.ecr_provider_sha256)
    yield _part("application", "aws-cli", release.aws_cli, purl=f"pkg:github/aws/aws-cli@{release.aws_cli}")
    yield _part("application", "amazon-cloudwatch-agent", release.cloudwatch_agent)  # where node_logs is enabled
    yield _part("container", "aws-cloud-controller-manager", release.cloud_controller_image.partition("@")[0])


def _part(type_: str, name: str, version: str, *, purl: str = "", sha256: str = "") -> Part:
    return {"type": type_, "name": name, "version": version, "purl": purl, "sha256": sha256}


def _write(file: Path, subject: Part, parts: list[Part]) -> None:
    if not TOOL.exists():
        raise Failure(f"{TOOL} is missing, in whose environment the library is: make sbom installs it")
    description = json.dumps({"subject": subject, "parts": parts})
    program = Path(__file__).with_name("sbom_document.py")
    answer = subprocess.run([str(TOOL), "-I", str(program)], input=description, capture_output=True, text=True)
    if answer.returncode:
        raise Failure(f"{file} was not written: {answer.stderr.strip()}")
    file.write_text(answer.stdout, encoding="utf-8")
