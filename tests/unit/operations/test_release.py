"""Releases: the file names what is deployed, a failure brings the former image back, and only what works is committed to Git."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from operations.deployment import release as module
from operations.deployment import settings_file
from operations.deployment.release import FORMER, RELEASED, former, pin, release
from operations.shared.errors import Failure
from operations.shared.git import git

OLD, NEW, OLDER = (f"sha256:{digit * 64}" for digit in "123")
FILE = "environments/dev.yaml"
TEXT = """\
# what the team wrote
application:
  image: {image}  # theirs
  replicas: 2
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which dev has run two images, one after the other, and an origin."""
    root, origin = tmp_path / "platform", tmp_path / "origin.git"
    (root / "environments").mkdir(parents=True)
    (root / "cdktf.out").mkdir()
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    monkeypatch.chdir(root)
    git("init", "--quiet", "--initial-branch=main")
    for key, value in {"user.name": "Test", "user.email": "test@example.com"}.items():
        git("config", key, value)
    for image in (OLDER, OLD):
        (root / FILE).write_text(TEXT.format(image=image))
        git("add", FILE)
        git("commit", "--quiet", "--message", f"dev runs {image}")
    git("remote", "add", "origin", str(origin))
    git("push", "--quiet", "origin", "main")
    monkeypatch.setattr(module, "ENVIRONMENTS", root / "environments")
    return root


@pytest.fixture
def running(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was deployed, in order; images that begin with ``bad`` fail their test."""
    deployed: list[str] = []

    class Application:
        image = OLD

    class Environment:
        application = Application

    class Cluster:
        environment = Environment

        def __init__(self, name: str) -> None:
            assert name == "dev"

    def deploy(name: str, *, auto_approve: bool, helm_alone: bool) -> None:
        assert auto_approve
        assert helm_alone, "a release must leave the infrastructure as it is"
        deployed.append((checkout / FILE).read_text().split("image: ")[1].split()[0])

    def smoke(_: object) -> None:
        if deployed[-1].startswith("bad"):
            raise Failure("https://vet-app.dev.example.com/login/ answers 500")

    monkeypatch.setattr(module, "Cluster", Cluster)
    monkeypatch.setattr(module, "_refuse_missing", lambda *_: None)
    monkeypatch.setattr("operations.deployment.deploy.deploy", deploy)
    monkeypatch.setattr("operations.application.smoke.run", smoke)
    return deployed


def test_an_image_that_works_is_deployed_and_told_to_the_next_step(running: list[str], checkout: Path) -> None:
    release("dev", NEW)
    assert running == [NEW]
    assert json.loads(RELEASED.read_text()) == {"dev": NEW}
    assert "# what the team wrote" in (checkout / FILE).read_text(), "a comment was lost"


def test_an_image_that_fails_its_test_is_followed_by_the_former_one(running: list[str], checkout: Path) -> None:
    with pytest.raises(Failure, match=rf"(?s)bad-one did not work in dev; {OLD} runs there again.*answers 500"):
        release("dev", "bad-one")
    assert running == ["bad-one", OLD]
    assert not RELEASED.exists(), "the next step would commit an image that failed"
    assert git("status", "--porcelain", "--untracked-files=no") == "", "the file names the image that failed"


def test_the_former_image_is_what_git_says_ran_before(running: list[str]) -> None:
    assert former("dev") == OLDER
    release("dev", FORMER)
    assert running == [OLDER]


def test_what_never_ran_another_has_no_former_one(checkout: Path) -> None:
    git("checkout", "--quiet", "--orphan", "new")
    git("commit", "--quiet", "--message", "one")
    with pytest.raises(Failure, match="has never named another image"):
        former("dev")


def test_a_commit_names_the_image_and_nothing_else(checkout: Path) -> None:
    pin("dev", NEW, push="main")
    assert git("show", "--stat", "--format=%s", "origin/main").splitlines()[0] == f"dev runs {NEW}"
    changed = [
        line
        for line in git("show", "origin/main", "--format=").splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == [f"-  image: {OLD}  # theirs", f"+  image: {NEW}  # theirs"]


def test_a_commit_goes_on_top_of_somebody_who_was_quicker(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def quicker(name: str, image: str, commit: Callable[[str, str], bool] = module._commit) -> bool:
        committed = commit(name, image)
        if not (checkout / "once").exists():
            (checkout / "once").touch()
            other = checkout.parent / "other"
            git("clone", "--quiet", str(checkout.parent / "origin.git"), str(other), root=checkout.parent)
            (other / "README").write_text("theirs")
            git("add", "README", root=other)
            git("-c", "user.name=B", "-c", "user.email=b@example.com", "commit", "--quiet", "-m", "theirs", root=other)
            git("push", "--quiet", "origin", "main", root=other)
        return committed

    monkeypatch.setattr(module, "_commit", quicker)
    pin("dev", NEW, push="main")
    git("fetch", "--quiet", "origin", "main")
    assert git("log", "--format=%s", "-2", "FETCH_HEAD").splitlines() == [f"dev runs {NEW}", "theirs"]


def test_naming_the_same_image_again_changes_no_byte(checkout: Path) -> None:
    before = (checkout / FILE).read_bytes()
    settings_file.set_image(checkout / FILE, OLD)
    assert (checkout / FILE).read_bytes() == before
