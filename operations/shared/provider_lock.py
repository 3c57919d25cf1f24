"""Which packages of Terraform's providers are the right ones: ``stacks/providers.lock.hcl`` (docs/decisions/0079-what-is-compared.md).

Terraform's own lock (``.terraform.lock.hcl``) lies in a stack's folder, which synth makes; so the checksums are kept here, and put there
before each ``init``. Terraform then refuses a package that is another.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from operations.shared.errors import Failure

FILE = Path(__file__).parents[2] / "stacks/providers.lock.hcl"
NAME = ".terraform.lock.hcl"
"""What Terraform calls it (Terraform: dependency lock file)."""

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")

STAND_INS = "VET_STAND_IN_PROVIDERS"
"""Environment variable: ``yes`` where the providers of this machine stand in for others, as under the emulator. Nothing is compared then."""

BLOCK = re.compile(r'^provider "(?P<address>[^"]+)" \{\n(?P<body>.*?)^\}$', re.MULTILINE | re.DOTALL)
VERSION = re.compile(r'^  version\s*= "([^"]+)"', re.MULTILINE)
HASH = re.compile(r'"((?:zh|h1):[^"]+)"')

Blocks = Mapping[str, re.Match[str]]
"""Blocks of a lock by the provider's address, such as ``registry.terraform.io/hashicorp/aws``."""


def blocks(text: str) -> Blocks:
    """The blocks of a lock."""
    return {match["address"]: match for match in BLOCK.finditer(text)}


def version(block: re.Match[str]) -> str:
    """The version that a block is about."""
    match = VERSION.search(block["body"])
    return match[1] if match else ""


def hashes(block: re.Match[str]) -> set[str]:
    """A block's checksums."""
    return set(HASH.findall(block["body"]))


def wanted(document: Mapping[str, Any], registry: str) -> dict[str, str]:
    """The version of each provider that a stack asks for, by its address.

    :param document: the stack's JSON.
    :param registry: host that short names mean.
    """
    asked = document["terraform"]["required_providers"]
    return {_address(each["source"], registry): each["version"] for each in asked.values()}


def _address(source: str, registry: str) -> str:
    parts = source.split("/")
    return "/".join([registry, "hashicorp", parts[-1]] if len(parts) == 1 else [registry, *parts[-2:]])


def missing(asked: Mapping[str, str], known: Blocks) -> list[str]:
    """Providers whose packages nothing is known of.

    Raises:
        Failure: checksums of another version are known.
    """
    for address, exact in asked.items():
        if address in known and version(known[address]) != exact:
            raise Failure(
                f"stacks/providers.lock.hcl has the checksums of {address} {version(known[address])}, and the stacks ask for {exact}.\n"
                "Write those of the new version: make pins FILL=yes"
            )
    return [f"{address} {exact}" for address, exact in sorted(asked.items()) if not _hashes(known, address)]


def _hashes(known: Blocks, address: str) -> set[str]:
    return hashes(known[address]) if address in known else set()


def put(folder: Path, registry: str) -> list[str]:
    """Have Terraform's lock in a stack's folder say what is known; what it has found out about others itself stays.

    :return: providers whose packages nothing is compared with.

    Raises:
        Failure: checksums of another version are known.
    """
    if os.environ.get(STAND_INS) == "yes":
        return []
    asked = wanted(json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8")), registry)
    known = blocks(FILE.read_text(encoding="utf-8"))
    unknown = missing(asked, known)
    lock = folder / NAME
    there = blocks(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    ours = {address: known[address] for address in asked if address in known}
    merged = {**{address: each for address, each in there.items() if address in asked}, **ours}
    if ours:
        lock.write_text(rendered(each[0] for _, each in sorted(merged.items())), encoding="utf-8")
    return unknown


def rendered(texts: Iterable[str]) -> str:
    """Blocks as a lock."""
    return "\n\n".join(texts) + "\n"


def fill(asked: Mapping[str, str], program: str) -> list[str]:
    """Ask the providers' registry for the checksums of all platforms, and write down those that were missing.

    Terraform asks the registry itself, whatever is installed on this machine (Terraform: providers lock).

    :return: what was written down.

    Raises:
        Failure: the registry does not answer, or says something else than what is written down.
    """
    text = FILE.read_text(encoding="utf-8")
    known, locked = blocks(text), blocks(_asked(asked, program))
    for address, block in locked.items():
        old = _hashes(known, address) if address in known and version(known[address]) == version(block) else set()
        gone = {each for each in old if each.startswith("zh:")} - hashes(block)
        if gone:
            raise Failure(
                f"{address} {version(block)} is not what was written down: its registry no longer knows {', '.join(sorted(gone))}.\n"
                "Nothing was written. Ask the provider's maintainers whether it was published a second time before you take the other checksums."
            )
    new = [f"{address} {version(block)}" for address, block in locked.items() if block[0] != _text(known, address)]
    entries = {address: each[0] for address, each in known.items()} | {
        address: each[0] for address, each in locked.items()
    }
    head = text[: text.index("\nprovider ")] if "\nprovider " in text else text.rstrip("\n") + "\n"
    FILE.write_text(head + "\n" + rendered(each for _, each in sorted(entries.items())), encoding="utf-8")
    return new


def _text(known: Blocks, address: str) -> str:
    return str(known[address][0]) if address in known else ""


def _asked(asked: Mapping[str, str], program: str) -> str:
    sources = {address.rsplit("/", 1)[1]: {"source": address, "version": exact} for address, exact in asked.items()}
    with tempfile.TemporaryDirectory() as folder:
        document = {"terraform": {"required_providers": sources}}
        (Path(folder) / "providers.tf.json").write_text(json.dumps(document))
        command = [program, f"-chdir={folder}", "providers", "lock", *(f"-platform={each}" for each in PLATFORMS)]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            raise Failure(
                f"the providers' registry was not asked; nothing was written:\n{(answer.stderr or answer.stdout).strip()}"
            )
        return (Path(folder) / NAME).read_text(encoding="utf-8")
