"""A repository on a forge, an emulated account whose roles trust it, and what stands in for registry, forge and running pods."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from operations.devtools.emulator import REPOSITORY, local_cluster
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from settings import Settings, load
from tests.apply import identities
from tests.apply.conftest import account_or_skip
from tests.pipeline.runner import Runner

STAND_INS = Path(__file__).with_name("stand_ins")
REGION = "us-east-1"
PUBLIC = "{access: {api: {access: public, allowed_cidrs: [203.0.113.0/24]}}}"
"""No tunnel is dug: the way to the available cluster is said by Terraform variables."""


@dataclass
class Forge:
    """The repository, and what its jobs and people have left."""

    folder: Path
    origin: Path
    runner: Runner

    @property
    def page(self) -> str:
        """What was last written into a comment or an issue."""
        return (self.folder / "page.md").read_text()

    def git(self, *words: str, where: Path | None = None) -> str:
        """Git in the bare repository, or in a clone."""
        command = [
            "git",
            "-C",
            str(where or self.origin),
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.com",
            *words,
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, change: dict[str, dict[str, str]], *, branch: str = "main") -> None:
        """Push a commit that replaces texts in files."""
        work = self.folder / "person"
        shutil.rmtree(work, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", str(self.origin), str(work)], check=True)
        for path, texts in change.items():
            content = (work / path).read_text()
            for old, new in texts.items():
                assert old in content, f"{path} has no {old!r}"
                content = content.replace(old, new, 1)
            (work / path).write_text(content)
        self.git("commit", "--quiet", "--all", "--message", "a change", where=work)
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", where=work)

    def image(self, environment: str) -> str | None:
        """What main says that an environment runs."""
        document = yaml.safe_load(self.git("show", f"main:environments/{environment}.yaml"))
        image: str | None = document["application"].get("image")
        return image


@pytest.fixture(scope="session")
def cluster() -> Kubernetes | None:
    """The available cluster, if there is one."""
    try:
        return local_cluster.kubernetes()
    except local_cluster.Absent:
        return None


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A repository with the charts available; empty where there are none."""
    with ExitStack() as keep:
        try:
            yield keep.enter_context(local_cluster.mirror(tmp_path_factory.mktemp("charts")))
        except local_cluster.Absent:
            yield ""


@pytest.fixture(scope="session")
def checkout(mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it stands, with environments that trust the repository, run an image and take no tunnel."""
    folder = tmp_path_factory.mktemp("checkout") / "platform"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = REPOSITORY / name, folder / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    identities.trusting(folder)
    for name in ("dev", "prod"):
        file = folder / f"environments/{name}.yaml"
        document = yaml.safe_load(file.read_text())
        document["access"] = {**document.get("access", {}), **yaml.safe_load(PUBLIC)["access"]}
        document["application"] = {**document["application"], "image": local_cluster.IMAGE}
        if mirror:
            document["charts"] = {"mirror": mirror}
        file.write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


@pytest.fixture(scope="session")
def settings(checkout: Path) -> Settings:
    """Its settings."""
    return load(checkout / "environments")


@pytest.fixture(scope="session")
def account(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which the infrastructure of both environments is deployed, each by its workflow's role."""
    with account_or_skip(tmp_path_factory.mktemp("account"), settings) as emulation:
        identities.make(emulation, identities.PERSON)
        emulation.make_state()
        emulation.synthesise(settings)
        emulation.stack("vet-state").apply()
        with ThreadPoolExecutor() as pool:
            list(pool.map(Stack.apply, [emulation.as_workflow(settings, name) for name in ("dev", "prod")]))
        yield emulation


@pytest.fixture(scope="session")
def aws(account: Account) -> Clients:
    """Clients of the account's administrator."""
    return clients(account.emulator.environment)


@pytest.fixture(scope="session")
def forge(checkout: Path, settings: Settings, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """The project on a forge."""
    folder = tmp_path_factory.mktemp("forge")
    origin = folder / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    person = ["git", "-C", str(checkout), "-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "the project"],
    ):
        subprocess.run([*person, *words], check=True)
    subprocess.run([*person, "push", "--quiet", str(origin), "HEAD:refs/heads/main"], check=True)

    def prepare(clone: Path) -> None:
        (clone / ".venv").symlink_to(REPOSITORY / ".venv")
        tools = clone / ".tools"
        tools.mkdir()
        for tool in (REPOSITORY / ".tools").iterdir():
            stand_in = STAND_INS / tool.name
            (tools / tool.name).symlink_to(stand_in if stand_in.exists() else tool.resolve())

    def credentials(role: str, subject: str) -> dict[str, str]:
        variables = account.workflow(settings, role.removeprefix("vet-github-"), subject)
        return {name: value for name, value in variables.items() if name.startswith("AWS_")}

    kept = account.emulator.environment
    environment = {
        **kept,
        "PATH": f"{STAND_INS}:{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}",
        "STAND_INS": str(folder),
        "AWS_DEFAULT_REGION": REGION,
        "NO_COLOR": "1",
    }
    environment.pop("TF_CLI_CONFIG_FILE", None)
    roles = {"AWS_PLAN_ROLE": "vet-github-plan", "AWS_PUBLISH_ROLE": "vet-github-publish", "AWS_REGION": REGION}
    runner = Runner(
        origin,
        folder,
        environment,
        credentials,
        roles,
        {name: {"AWS_DEPLOY_ROLE": f"vet-github-deploy-{name}"} for name in ("dev", "prod")},
        prepare,
        {
            "make test": "",
            "make synth": "",
            "go install": "",
            "make wheel": "cdktf.out/wheel/a.whl",
            "make sbom": "cdktf.out/sbom/a.json",
        },
    )
    return Forge(folder, origin, runner)
