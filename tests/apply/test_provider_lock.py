"""Terraform itself refuses a provider's package that is not the one whose checksum is written down."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from operations.shared import provider_lock
from operations.shared.terraform import binary, engine_of
from tests.apply.conftest import skip_or_fail


def _initialised(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [binary(), "init", "-backend=false", "-input=false", "-no-color"]
    variables = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)


def test_another_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = engine_of(binary()).registry
    asked = {"helm": {"source": "hashicorp/helm", "version": "3.1.1"}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"required_providers": asked}}))
    first = _initialised(tmp_path)
    if first.returncode:
        skip_or_fail(f"Terraform cannot install the provider for Helm: {first.stderr[-300:]}")
    (tmp_path / provider_lock.NAME).unlink()
    other = tmp_path / "providers.lock.hcl"
    other.write_text(
        f'provider "{registry}/hashicorp/helm" {{\n  version = "3.1.1"\n  hashes = [\n    "h1:{"A" * 43}=",\n  ]\n}}\n'
    )
    monkeypatch.setattr(provider_lock, "FILE", other)
    monkeypatch.delenv(provider_lock.STAND_INS, raising=False)
    assert provider_lock.put(tmp_path, registry) == []
    refused = _initialised(tmp_path)
    assert refused.returncode == 1, refused.stdout
    assert "checksums previously recorded in the dependency lock file" in " ".join(refused.stderr.split()), (
        refused.stderr
    )
