"""SHA-256 of what nodes download: ``nodes/checksums.yaml``, and how RKE2's is had from a second source.

A release publishes a list of checksums beside its files, so anybody who replaces the files replaces the list. GitHub notes the digest of each file
when it is uploaded, by itself (GitHub changelog, 2025-06-03: releases expose digests), and both must say the same. What is written down
then stays: a release that is replaced later is refused by the nodes.
"""

import json
import re
from collections.abc import Callable, Iterable

from nodes.release import CHECKSUMS, NodeRelease
from operations.shared import download
from operations.shared.errors import Failure
from settings import yaml_text
from settings.release_sets import SETS, release_set

FILE = "rke2.linux-amd64.tar.gz"
LIST = "https://github.com/rancher/rke2/releases/download/{}/sha256sum-amd64.txt"
DIGESTS = "https://api.github.com/repos/rancher/rke2/releases/tags/{}"
SOURCE = "the release's sha256sum-amd64.txt, and GitHub's digest of the uploaded file"
SHA256 = re.compile(r"[0-9a-f]{64}")


def unknown(release: NodeRelease) -> list[str]:
    """What nodes of this release download and compare with nothing but the list next to it."""
    checksums = {f"RKE2 {release.rke2}": release.rke2_sha256, f"kubectl {release.kubectl}": release.kubectl_sha256}
    return [what for what, checksum in checksums.items() if not checksum]


def fill(read: Callable[[str], bytes] | None = None) -> list[str]:
    """Write down RKE2's checksums that are missing, of the releases that the release sets pin.

    :param read: fetch an address; for tests.
    :return: what was written down.

    Raises:
        Failure: a source does not answer, the two differ, or they differ from what is written down.
    """
    read = read or (lambda url: download.read(url, "Nothing was written"))
    text = CHECKSUMS.read_text(encoding="utf-8")
    known = yaml_text.load(text)["rke2"] or {}
    digests = {version: _both(version, read) for version in dict.fromkeys(release_set(name).rke2 for name in SETS)}
    for version, digest in digests.items():
        if known.get(version, digest) != digest:
            raise Failure(
                f"{FILE} of RKE2 {version} is not what was written down: nodes/checksums.yaml has {known[version]}, and the release now {digest}.\n"
                "Nothing was written, and nodes refuse it. Ask RKE2's maintainers whether it was published a second time before you take the other."
            )
    new = {version: digest for version, digest in digests.items() if version not in known}
    if new:
        CHECKSUMS.write_text(_with(text, [f"  {version}: {digest}  # {SOURCE}" for version, digest in new.items()]))
    return [f"RKE2 {version}" for version in new]


def _both(version: str, read: Callable[[str], bytes]) -> str:
    """The checksum that both sources say."""
    place = version.replace("+", "%2B")
    lines = (line.split() for line in read(LIST.format(place)).decode().splitlines())
    listed = next((words[0] for words in lines if len(words) == 2 and words[1] == FILE), "")
    assets = json.loads(read(DIGESTS.format(place)))["assets"]
    noted = next((str(each.get("digest") or "") for each in assets if each["name"] == FILE), "")
    if not SHA256.fullmatch(listed) or noted != f"sha256:{listed}":
        raise Failure(
            f"{FILE} of RKE2 {version}: its list says {listed or 'nothing'}, and GitHub {noted or 'nothing'}. Nothing was written.\n"
            "Releases from before June 2025 may have no digest at GitHub: write the checksum when another source shows it."
        )
    return listed


def _with(text: str, lines: Iterable[str]) -> str:
    """The file with more lines below ``rke2:``, which may have said ``{}``."""
    head = re.search(r"^rke2:(?: \{\})?(.*)$", text, re.MULTILINE)
    if head is None:
        raise Failure("nodes/checksums.yaml has no line `rke2:`; put it back")
    return text[: head.start()] + "\n".join([f"rke2:{head[1]}", *lines]) + text[head.end() :]
