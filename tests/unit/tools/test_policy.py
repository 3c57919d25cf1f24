"""A check of Checkov fails unless a reason is written for it, and no reason stays that nothing needs."""

import subprocess
from pathlib import Path

import pytest

from tests.policy import secrets
from tests.policy.check import TOOL, Accepted, Failed, accepted, judge

FAILED = Failed("CKV_1", "Ensure that it is closed", "vet-dev/network/vpc")


def test_a_failure_without_a_reason_is_named() -> None:
    assert judge([FAILED], []) == ["vet-dev/network/vpc fails CKV_1: Ensure that it is closed"]


def test_a_reason_covers_its_own_check_and_resources_alone() -> None:
    reason = Accepted("CKV_1", ("*/network/vpc",), "It is closed.")
    assert judge([FAILED], [reason]) == []
    others = [Failed("CKV_2", "Other", FAILED.resource), Failed("CKV_1", "Elsewhere", "vet-dev/api")]
    assert len(judge([FAILED, *others], [reason])) == 2


def test_a_pattern_that_excuses_nothing_is_named() -> None:
    reason = Accepted("CKV_1", ("*/network/vpc", "*/gone"), "It is closed.")
    (wrong,) = judge([FAILED], [reason])
    assert "*/gone" in wrong


def test_every_reason_is_a_sentence() -> None:
    bare = [entry.check for entry in accepted() if not entry.reason.strip().endswith(".") or len(entry.reason) < 6]
    assert not bare, f"without a reason: {bare}"


@pytest.mark.skipif(not (TOOL / "bin/detect-secrets").exists(), reason="needs detect-secrets: make lint installs it")
def test_a_credential_is_found_before_it_is_committed(tmp_path: Path) -> None:
    """In what is known and in what is new, and not in what Git ignores."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    key = "AKIA" + "QYLPMN5HHHFPZAM2"
    for name in ("known.py", "new.yaml", "ignored.env"):
        (tmp_path / name).write_text(f"access: {key}\n")
    (tmp_path / "harmless.txt").write_text("a secret is named credentials/admin\n")
    (tmp_path / ".gitignore").write_text("*.env\n")
    subprocess.run(["git", "-C", tmp_path, "add", "known.py"], check=True)
    names = secrets.files(tmp_path)
    assert set(names) == {".gitignore", "harmless.txt", "known.py", "new.yaml"}
    pairs = {(each.resource, each.check) for each in secrets.credentials(names, tmp_path)}
    assert pairs == {("known.py", "AWS Access Key"), ("new.yaml", "AWS Access Key")}
