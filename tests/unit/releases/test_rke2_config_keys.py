"""The lists of RKE2's configuration keys: what they say, and that they are what the source says."""

import os
from pathlib import Path

import pytest
import yaml

from settings.rke2_config_keys import (
    FOLDER,
    PUBLIC,
    RELEASE,
    is_for_everybody,
    known_keys,
    main,
    read_source,
    unknown_keys,
)


def test_keys_of_newer_releases_are_unknown_to_older_ones() -> None:
    """They would be skipped in silence: retention in the bucket is from 1.31, the choice of an ingress from 1.27.16."""
    newer = [
        "etcd-s3-retention",
        "ingress-controller",
        "etcd-s3-config-secret",
        "node-name-from-cloud-provider-metadata",
    ]
    assert unknown_keys("v1.26.15+rke2r1", "server", newer) == sorted(newer)
    assert unknown_keys("v1.35.7+rke2r1", "server", newer) == []


def test_flags_of_k3s_that_rke2_drops_are_no_keys() -> None:
    for dropped in ("cluster-init", "flannel-backend", "docker", "rootless"):
        assert dropped not in known_keys("v1.26.15+rke2r1", "server")


def test_a_server_key_is_not_an_agent_key() -> None:
    assert unknown_keys("v1.26.15+rke2r1", "agent", ["token", "node-label", "tls-san", "kubelet-arg+"]) == ["tls-san"]


def test_an_unknown_version_says_how_to_add_it() -> None:
    with pytest.raises(LookupError, match=r"python -m settings\.rke2_config_keys SOURCE_OF_RKE2 v1\.99\.0\+rke2r1"):
        known_keys("v1.99.0+rke2r1", "server")


def test_a_release_for_customers_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = tmp_path / RELEASE
    assert is_for_everybody(tmp_path), "before there was this workflow, all were"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("jobs:\n  release:\n    steps:\n    - run: aws s3 cp dist/ s3://customers/\n")
    before = set(FOLDER.iterdir())
    assert main([str(tmp_path), "v1.99.9+rke2r9"]) == 1
    assert "for SUSE's customers alone" in capsys.readouterr().err
    assert set(FOLDER.iterdir()) == before
    workflow.write_text(f"jobs:\n  release:\n    env:\n      {PUBLIC}: x\n")
    assert is_for_everybody(tmp_path)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_lists_are_fresh(path: Path) -> None:
    """With rancher/rke2 at each version in ``VET_TEST_RKE2/<version>``."""
    source = Path(os.environ.get("VET_TEST_RKE2", "/nonexistent")) / path.stem
    if not source.is_dir():
        pytest.skip(f"set VET_TEST_RKE2 to a folder that has the source of rancher/rke2 at {path.stem} in {path.stem}/")
    assert is_for_everybody(source), "nobody but SUSE's customers can fetch it"
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == read_source(source)
