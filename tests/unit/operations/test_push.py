"""Building and pushing the application's image: what it is called, who builds it, and that no password is shown."""

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.application import push as push_module
from operations.application.images import Repository, Revision, refuse_missing, revision
from operations.application.push import builder, push
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from settings.problems import SettingsError

CLEAN = Revision("3f2a9c1d0b4e")
TAG = "3f2a9c1d0b4e-python3.9"
TOOL = """#!/bin/sh
echo "$0 $*" >> "{log}"
case $1 in login) echo "password on stdin: $(cat)" >> "{log}" ;; info) exit {info} ;; push) exit {push} ;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A Git checkout with an application and something beside it."""
    root = tmp_path / "checkout"
    (root / "vet_app").mkdir(parents=True)
    (root / "vet_app/manage.py").write_text("one\n")
    git(root, "init", "--quiet")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "a step")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS with dev's and prod's repositories."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    with mock_aws():
        for environment in ("dev", "prod"):
            boto3.client("ecr", region_name="us-east-1").create_repository(repositoryName=f"vet-{environment}/vet-app")
        yield


def put_image(tag: str) -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {"digest": f"sha256:{'1' * 64}", "size": 1},
        "layers": [],
    }
    boto3.client("ecr", region_name="us-east-1").put_image(
        repositoryName="vet-dev/vet-app", imageManifest=json.dumps(manifest), imageTag=tag
    )


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts stand-ins for container tools on PATH, alone; returns the file that they write to."""
    folder, log = tmp_path / "bin", tmp_path / "log"
    folder.mkdir()
    log.touch()
    for name in ("sh", "cat"):
        (folder / name).symlink_to(subprocess.check_output(["which", name], text=True).strip())
    monkeypatch.setenv("PATH", str(folder))

    def put(*names: str, info: int = 0, push: int = 0) -> Path:
        for name in names:
            (folder / name).write_text(TOOL.format(log=log, info=info, push=push))
            (folder / name).chmod(stat.S_IRWXU)
        return log

    return put


@pytest.fixture
def ready(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean checkout, and first-day values that are a team's own."""
    monkeypatch.setattr(push_module, "revision", lambda: CLEAN)
    monkeypatch.setattr(push_module, "refuse_placeholders", lambda _: None)


@pytest.fixture
def registry(ready: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """ECR, which has an image once a tool has pushed it; the stand-ins for tools have no network."""
    real = push_module._push

    def pushed(*arguments: Any) -> None:
        real(*arguments)
        put_image(TAG)

    monkeypatch.setattr(push_module, "_push", pushed)


def test_the_same_content_has_the_same_name_and_nothing_else_has_it(checkout: Path) -> None:
    first = revision(checkout)
    assert first.changes is None
    (checkout / "beside").write_text("not of the application\n")
    commit(checkout)
    assert revision(checkout) == first, "a commit beside the application would build a new image of the same content"

    (checkout / "vet_app/manage.py").write_text("two\n")
    changed = revision(checkout)
    (checkout / "vet_app/new.py").write_text("not added to Git\n")
    added = revision(checkout)
    assert len({first, changed, added}) == 3
    assert added.tag("3.9") == f"{first.commit}-dirty-{added.changes}-python3.9"
    assert subprocess.check_output(["git", "-C", str(checkout), "diff", "--cached"]) == b"", "the index was touched"

    commit(checkout)
    assert revision(checkout).changes is None
    assert revision(checkout).commit != first.commit


def test_without_git_it_says_why_there_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="images are named by Git commits, and git says: not a git repository"):
        revision(tmp_path)


@pytest.mark.usefixtures("registry")
def test_it_builds_logs_in_pushes_and_logs_out(tools: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    log = tools("docker")
    push("dev")
    lines = [line.rsplit("/", 1)[-1] if "registry" in line else line for line in log.read_text().splitlines()]
    done = [line.split("docker ", 1)[1].split()[0] for line in lines if "docker " in line]
    assert done == ["info", "build", "login", "push", "logout"]
    calls = log.read_text()
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    assert f"--tag {registry}/vet-dev/vet-app:{TAG} --build-arg PYTHON=3.9" in calls
    assert "--platform linux/amd64" in calls
    assert "password on stdin: " in calls
    password = next(line.split(": ", 1)[1] for line in lines if line.startswith("password on stdin: "))
    assert password, "no password was handed over"
    assert calls.count(password) == 1, "the password was an argument as well"
    out = capsys.readouterr().out
    assert password not in out
    digest = Repository(Cluster("dev").names).digest(TAG)
    assert f"vet-dev/vet-app has {TAG}: {digest}\n" in out, "the digest that the registry has"
    assert f"environments/dev.yaml, under application:\n\n  image: {TAG}\n" in out


@pytest.mark.usefixtures("ready")
def test_a_push_of_which_the_registry_does_not_know_is_no_success(tools: Callable[..., Path]) -> None:
    tools("docker")
    with pytest.raises(Failure, match=f"the push succeeded, but vet-dev/vet-app has no image {TAG}"):
        push("dev")


@pytest.mark.usefixtures("ready")
def test_what_is_there_already_is_not_built_again(
    tools: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    put_image(TAG)
    log = tools("docker")
    push("dev")
    assert log.read_text() == ""
    assert f"vet-dev/vet-app has {TAG} already" in capsys.readouterr().out


@pytest.mark.usefixtures("ready")
def test_a_push_that_fails_still_logs_out(tools: Callable[..., Path]) -> None:
    log = tools("podman", push=1)
    with pytest.raises(subprocess.CalledProcessError):
        push("dev")
    assert log.read_text().splitlines()[-1].split(" ", 1)[1].startswith("logout")


def test_a_dry_run_prints_the_commands_and_needs_neither_aws_nor_a_builder(
    tools: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(push_module, "revision", lambda: CLEAN)
    tools()
    push("dev", dry_run=True)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["build", "login", "push", "logout"]


def test_what_is_not_in_git_does_not_go_to_a_protected_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_module, "revision", lambda: Revision("3f2a9c1d0b4e", "0123abcd"))
    with pytest.raises(Failure, match="not committed, and prod is protected"):
        push("prod", dry_run=True)
    push("dev", dry_run=True)


def test_placeholders_and_unknown_environments_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_module, "revision", lambda: CLEAN)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(SettingsError):
        push("dev")
    with pytest.raises(Failure, match="there is no environment 'stage'; there are dev, prod"):
        push("stage")


def test_the_first_builder_that_works_is_taken(tools: Callable[..., Path]) -> None:
    with pytest.raises(Failure, match="install one of docker, podman, buildah"):
        builder()
    tools("docker", info=1)
    with pytest.raises(Failure, match="docker is installed, but does not answer `docker info`"):
        builder()
    tools("buildah")
    assert builder() == "buildah", "docker has no daemon here"
    tools("podman")
    assert builder() == "podman"


@pytest.mark.usefixtures("aws")
def test_deploying_stops_at_a_missing_image_and_tells_the_way() -> None:
    names = Cluster("dev").names
    with pytest.raises(Failure, match=r"environments/dev\.yaml names no image .*\n.*make push ENV=dev"):
        refuse_missing(names)
    for image in (TAG, f"sha256:{'0' * 64}"):
        chosen = names.environment.application.model_copy(update={"image": image})
        changed = type(names)(names.project, names.environment.model_copy(update={"application": chosen}))
        with pytest.raises(Failure, match=rf"vet-dev/vet-app has no image {image}, .*\n.*make push ENV=dev"):
            refuse_missing(changed)
    put_image(TAG)
    chosen = names.environment.application.model_copy(update={"image": TAG})
    refuse_missing(type(names)(names.project, names.environment.model_copy(update={"application": chosen})))


@pytest.mark.usefixtures("aws")
def test_a_repository_that_is_not_there_tells_what_makes_it() -> None:
    boto3.client("ecr", region_name="us-east-1").delete_repository(repositoryName="vet-dev/vet-app")
    with pytest.raises(Failure, match=r"there is no repository vet-dev/vet-app yet\nFirst: make deploy ENV=dev"):
        Repository(Cluster("dev").names).digest(TAG)
