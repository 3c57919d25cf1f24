"""What make plan says of a Helm stack, and refuses of it, from its state alone."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import main
from operations.deployment import cluster_settings
from operations.shared.errors import Failure
from operations.shared.stack_json import Document
from settings import load
from tests.changes import one_environment

TERRAFORM = """#!/bin/sh
case "$*" in
  version*) echo '{{"terraform_version": "1.11.4"}}' ;;
  *init*) ;;
  *"state pull"*) cat "{state}" || exit 1 ;;
  *) exit 4 ;;
esac
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state that a stand-in for Terraform pulls."""
    program, file = tmp_path / "terraform", tmp_path / "state.json"
    program.write_text(TERRAFORM.format(state=file))
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return file


@pytest.fixture
def synthesised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Document]:
    """Has the settings of dev, changed, synthesised; the Helm stack's document."""

    def synthesis(changes: dict[str, Any]) -> Document:
        main.build_app(load(one_environment(tmp_path, changes)), outdir=str(tmp_path / "out")).synth()
        content = json.loads((tmp_path / "out/stacks/vet-dev-helm/cdk.tf.json").read_text())
        document = Document("vet-dev-helm", content)
        monkeypatch.setattr(Document, "read", lambda _: document)
        return document

    return synthesis


def _state_of(document: Document) -> str:
    """The state that an apply of the document leaves, as far as it is read."""
    kept = [
        {"type": "terraform_data", "name": name, "instances": [{"attributes": {"input": {"value": block["input"]}}}]}
        for name, block in document.content["resource"]["terraform_data"].items()
    ]
    return json.dumps({"outputs": {"settings": document.content["output"]["settings"]}, "resources": kept})


def test_settings_of_the_cluster_alone_are_told_with_what_they_take(
    state: Path, synthesised: Callable[[dict[str, Any]], Document], capsys: pytest.CaptureFixture[str]
) -> None:
    state.write_text(_state_of(synthesised({})))
    synthesised({})
    cluster_settings.show("dev", cluster_settings.refuse("dev"))
    assert "vet-dev-helm: no setting changes" in capsys.readouterr().out
    synthesised({"cluster": {"ingress": "traefik"}})
    cluster_settings.show("dev", cluster_settings.refuse("dev"))
    assert "cluster.ingress: at once; restarts the application; interrupts; the ingress does not answer" in " ".join(
        capsys.readouterr().out.split()
    )


def test_another_major_of_postgresql_is_refused_without_the_cluster(
    state: Path, synthesised: Callable[[dict[str, Any]], Document]
) -> None:
    deployed = _state_of(synthesised({})).replace(
        '"cluster.versions.postgresql (major)": "16"', '"cluster.versions.postgresql (major)": "15"'
    )
    state.write_text(deployed)
    with pytest.raises(
        Failure,
        match=r"cluster\.versions\.postgresql \(major\) is fixed after the first deploy: 15 is deployed, and the settings say 16",
    ):
        cluster_settings.refuse("dev")


def test_a_smaller_volume_is_refused_without_the_cluster(
    state: Path, synthesised: Callable[[dict[str, Any]], Document]
) -> None:
    state.write_text(_state_of(synthesised({"application": {"volume": "6Gi"}})))
    synthesised({})
    with pytest.raises(Failure, match=r"application\.volume from 6Gi to 5Gi"):
        cluster_settings.refuse("dev")


def test_no_state_is_a_first_deploy_and_one_that_cannot_be_read_is_none(
    state: Path, synthesised: Callable[[dict[str, Any]], Document], capsys: pytest.CaptureFixture[str]
) -> None:
    synthesised({})
    state.write_text("")
    cluster_settings.show("dev", cluster_settings.refuse("dev"))
    assert "vet-dev-helm is new" in capsys.readouterr().out
    state.unlink()
    with pytest.raises(Failure, match=r"the state of vet-dev-helm cannot be read(?s:.*)Nothing was changed"):
        cluster_settings.refuse("dev")
