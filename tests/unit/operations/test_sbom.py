"""What is in the image and in the nodes' programs is listed whole, as CycloneDX, and the same twice."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nodes.boot import bundle
from operations.shared.errors import Failure
from operations.supply_chain import sbom
from settings import load

LOCKS = Path("vet_app/requirements")


def _names(parts: list[dict[str, Any]]) -> set[str]:
    return {part["name"] for part in parts}


def test_there_is_a_document_for_each_line_of_python_and_each_release_of_the_nodes() -> None:
    subjects = {name: subject for name, subject, _ in sbom.documents()}
    for environment in load().environments:
        assert f"vet-app-python{environment.application.python_version}" in subjects
        assert f"nodes-{environment.cluster.releases.rke2.replace('+', '-')}" in subjects
    assert all(
        re.fullmatch(r"[0-9a-f]{12}-python[0-9.]+|[0-9a-f]{64}", subject["version"]) for subject in subjects.values()
    )


@pytest.mark.parametrize("python", ["3.9", "3.12"])
def test_every_package_of_the_lock_is_listed_once(python: str) -> None:
    lock = (LOCKS / sbom.LOCKS.get(python, sbom.MAINTAINED)).read_text()
    parts = list(sbom.packages(lock, python))
    assert _names(parts) == set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    assert len(parts) == len(_names(parts)), "a package is there in two versions"
    assert {"django", "gunicorn"} <= _names(parts)


def test_what_a_node_installs_is_listed_with_the_checksums_that_are_known() -> None:
    *_, (_, subject, parts) = sbom.documents()
    assert subject["sha256"] == bundle().sha256
    text = Path("nodes/bin/install-rke2").read_text()
    installed = set(re.findall(r"^  installed ([\w-]+) ", text, re.MULTILINE))
    assert installed <= _names(parts), f"install-rke2 installs {installed - _names(parts)} as well"
    assert next(part for part in parts if part["name"] == "ecr-credential-provider")["sha256"]


@pytest.mark.skipif(not sbom.TOOL.exists(), reason="make sbom installs the library that writes the documents")
def test_the_library_takes_them_and_the_same_is_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sbom, "FOLDER", tmp_path)
    sbom.run()
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    sbom.run()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first
    assert str(tmp_path / "nodes.tar.gz") in capsys.readouterr().out.splitlines()
    for name in (name for name in first if name.endswith(".cdx.json")):
        document = json.loads(first[name])
        assert (document["bomFormat"], document["components"] != []) == ("CycloneDX", True), name
        (of_subject,) = [
            each for each in document["dependencies"] if each["ref"] == document["metadata"]["component"]["bom-ref"]
        ]
        assert len(of_subject["dependsOn"]) == len(document["components"]), name


@pytest.mark.skipif(not sbom.TOOL.exists(), reason="make sbom installs the library that writes the documents")
def test_what_is_no_cyclonedx_is_not_written(tmp_path: Path) -> None:
    part = {"type": "library", "name": "x", "version": "1", "purl": "", "sha256": "not a checksum"}
    with pytest.raises(Failure, match="was not written"):
        sbom._write(tmp_path / "x.json", {**part, "sha256": ""}, [part])
    assert not list(tmp_path.iterdir())
