"""The image that is built once: what the build may see, when nothing is built, and that a copy keeps the digest."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from operations.application import publish as module
from operations.application.images import Revision, revision
from operations.application.publish import PUBLISHED, bare, build, digest_of, publish
from operations.shared.errors import Failure
from operations.shared.git import git

TAG = "3f2a9c1d0b4e-python3.9"
ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Two empty registries, and a checkout whose application is committed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setattr(module, "refuse_placeholders", lambda _: None)
    monkeypatch.setattr(module, "revision", lambda: Revision("3f2a9c1d0b4e"))
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        for environment in ("dev", "prod"):
            boto3.client("ecr", region_name="us-east-1").create_repository(repositoryName=f"vet-{environment}/vet-app")
        yield


def put(environment: str, digest: str) -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": digest, "size": 1}, "layers": []}
    boto3.client("ecr", region_name="us-east-1").put_image(
        repositoryName=f"vet-{environment}/vet-app",
        imageManifest=json.dumps(manifest),
        imageTag=TAG,
        imageDigest=digest,
    )


def test_what_every_registry_has_is_not_built_again(registries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for environment in ("dev", "prod"):
        put(environment, ONE)
    monkeypatch.setattr(module, "build", lambda *_: pytest.fail("it was built"))
    publish()
    assert json.loads(PUBLISHED.read_text()) == {"dev": ONE, "prod": ONE}


def test_two_images_of_one_name_are_refused(registries: None) -> None:
    put("dev", ONE)
    put("prod", TWO)
    with pytest.raises(Failure, match=f"different images of the name {TAG}"):
        publish()


def test_what_one_registry_has_is_copied_from_there(registries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    put("dev", ONE)
    copied: list[tuple[str, str]] = []

    def copy(source: str, target: str, _: Path) -> None:
        copied.append((source, target))
        put("prod", ONE)

    monkeypatch.setattr(module, "build", lambda *_: pytest.fail("it was built a second time"))
    monkeypatch.setattr(module, "_copy", copy)
    monkeypatch.setattr(module._Logins, "to", lambda *_: None)
    publish()
    ((source, target),) = copied
    assert source.startswith("docker://")
    assert source.endswith(f"vet-dev/vet-app:{TAG}")
    assert target.endswith(f"vet-prod/vet-app:{TAG}")


def test_what_is_not_committed_is_not_published(registries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "revision", lambda: Revision("3f2a9c1d0b4e", "8d1f"))
    with pytest.raises(Failure, match="commit them"):
        publish()


@pytest.mark.parametrize(
    "name", ["AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "CI_JOB_TOKEN"]
)
def test_a_build_sees_no_credentials(name: str) -> None:
    assert bare({name: "secret", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.skipif(
    not all(map(shutil.which, ("buildah", "skopeo"))) or os.geteuid() != 0,
    reason="needs buildah and skopeo, as root: apt-get install buildah skopeo",
)
def test_two_builds_of_a_commit_are_the_same_bytes_and_a_copy_keeps_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "checkout"
    (root / "vet_app").mkdir(parents=True)
    (root / "vet_app/Dockerfile").write_text("ARG PYTHON\nFROM scratch\nCOPY file /file\n")
    (root / "vet_app/file").write_text("content\n")
    monkeypatch.chdir(root)
    git("init", "--quiet")
    git("add", "--all")
    git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "one")
    source, digests = revision(), []
    for number in range(2):
        (root / "vet_app/file").touch()  # another time of the file, as in another clone
        archive = build(tmp_path / f"{number}.tar", f"test-{tmp_path.name}", "3.9", source, "linux/amd64")
        digests.append(digest_of(archive))
    subprocess.run(["buildah", "rmi", "--force", f"localhost/vet-app:test-{tmp_path.name}"], capture_output=True)
    assert digests[0] == digests[1], "a second build of the same commit has another digest"
    copy = ["skopeo", "copy", "--quiet", "--all", "--preserve-digests"]
    subprocess.run([*copy, f"oci-archive:{tmp_path / '0.tar'}", f"oci:{tmp_path / 'registry'}:tag"], check=True)
    (there,) = json.loads((tmp_path / "registry/index.json").read_text())["manifests"]
    assert there["digest"] == digests[0]
