"""From a merge to a promoted digest, and back: the Helm stack on an available cluster, whose pods may be simulated, and a clinic that stands in for them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from operations.devtools.emulator import local_cluster
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from settings import Settings
from settings.names import Names, helm_stack
from tests.pipeline.clinic import clinic
from tests.pipeline.conftest import Forge
from tests.pipeline.runner import Ran
from tests.pipeline.test_workflows import PRIVATE, logs, results


@dataclass
class Clinics:
    """What runs where, and what is broken.

    :param broken: images with which no page answers after the log-in.
    """

    account: Account
    settings: Settings
    cluster: Kubernetes
    on_the_cluster: str = ""
    broken: set[str] = field(default_factory=set)

    def works(self, host: str) -> bool:
        """Whether the pages answer: by the image that the cluster says to run."""
        return self.running() not in self.broken

    def running(self) -> str:
        """Digest of the application's image in the cluster."""
        image = self.cluster.run(
            "get",
            "deployment",
            "vet-app",
            "--namespace",
            "vet-app",
            "--output",
            "jsonpath={.spec.template.spec.containers[0].image}",
        )
        return image.rpartition("@")[2]

    def approve(self, environment: str) -> None:
        """The reviewer looks, and makes room: two environments do not fit one cluster."""
        if self.on_the_cluster not in ("", environment):
            self.empty()
        self.on_the_cluster = environment

    def empty(self) -> None:
        """Take the Helm stack off the cluster."""
        stack = Stack(
            self.account.stack(helm_stack(self.on_the_cluster)).folder,
            {**self.account.emulator.environment, **local_cluster.terraform_variables(self.cluster)},
        )
        stack.run("init", "-input=false")
        stack.run("destroy", "-auto-approve", "-input=false")
        self.on_the_cluster = ""


@pytest.fixture(scope="module")
def clinics(
    forge: Forge,
    account: Account,
    settings: Settings,
    cluster: Kubernetes | None,
    mirror: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Clinics]:
    """Both environments' clusters are the one available; what would lead to the clinics leads to the stand-in."""
    if cluster is None or not mirror:
        pytest.skip(
            "releases need a cluster that may be filled and emptied (VET_TEST_KUBECONFIG) and the charts (make charts)"
        )
    for environment in settings.environments:
        local_cluster.simulate_servers(account.emulator, Names(settings.project, environment), cluster)
    clinics = Clinics(account, settings, cluster)
    hosts = [each.hosts.application for each in settings.environments]
    with ExitStack() as keep:
        there = keep.enter_context(clinic(tmp_path_factory.mktemp("clinic"), hosts, clinics.works))
        keep.enter_context(cluster.without_webhooks())
        forge.runner.approve = clinics.approve
        forge.runner.environment = {
            **forge.runner.environment,
            **local_cluster.terraform_variables(cluster),
            "https_proxy": there.proxy,
            "SSL_CERT_FILE": str(there.authority),
        }
        yield clinics
        if clinics.on_the_cluster:
            clinics.empty()


@pytest.fixture(scope="module")
def merged(clinics: Clinics, forge: Forge) -> dict[str, Ran]:
    """A merge, approved for both environments."""
    return forge.runner.run("deploy.yml", PRIVATE)


def published(forge: Forge) -> str:
    """The digest of the last build."""
    return str(json.loads((forge.folder / "artifacts/image/published.json").read_text())["dev"])


def test_a_merge_reaches_the_clinic_and_then_production_with_the_same_digest(
    merged: dict[str, Ran], clinics: Clinics, forge: Forge
) -> None:
    assert set(results(merged).values()) <= {"success", "skipped"}, logs(merged)
    assert clinics.on_the_cluster == "prod"
    assert clinics.running() == published(forge)
    assert forge.image("dev") == forge.image("prod") == published(forge), "main does not say what runs"


def test_each_environment_was_tried_by_an_account_that_was_closed(merged: dict[str, Ran], forge: Forge) -> None:
    assert (forge.folder / "accounts.log").read_text().split() == ["opened", "closed"] * 2
    for name in ("dev", "prod"):
        assert "read a patient's record" in merged[f"deploy[{name}] / deploy"].log


def test_only_the_environment_s_own_job_had_its_role(merged: dict[str, Ran], forge: Forge) -> None:
    deploying = [each for each in forge.runner.tokens if "github-deploy" in each]
    assert set(deploying) == {f"environment:{name} -> vet-github-deploy-{name}" for name in ("dev", "prod")}


def test_an_image_that_fails_is_taken_back_and_prod_is_not_touched(
    merged: dict[str, Ran], clinics: Clinics, forge: Forge
) -> None:
    good = published(forge)
    forge.commit({"vet_app/Dockerfile": {"# The clinic's container": "# The clinic's own container"}})
    for name in ("dev", "prod"):
        assert forge.image(name) == good
    built = forge.runner.run("deploy.yml", PRIVATE, but=["deploy"])
    bad = published(forge)
    assert bad != good, logs(built)
    clinics.broken.add(bad)
    ran = forge.runner.run("deploy.yml", PRIVATE)
    assert ran["deploy[dev] / deploy"].result == "failure", logs(ran)
    assert f"{bad} did not work in dev; {good} runs there again" in ran["deploy[dev] / deploy"].log, logs(ran)
    assert ran["deploy[dev] / pin"].result == "skipped"
    assert "deploy[prod] / deploy" not in ran, "prod followed a dev that failed"
    assert clinics.running() == good
    assert forge.image("dev") == good, "main names an image that failed"


def test_a_rollback_is_one_started_workflow(merged: dict[str, Ran], clinics: Clinics, forge: Forge) -> None:
    ran = forge.runner.run(
        "release.yml", PRIVATE, inputs={"environment": "dev", "image": "former", "run": "", "plan_sha256": ""}
    )
    assert set(results(ran).values()) == {"success"}, logs(ran)
    assert forge.image("dev") == local_cluster.IMAGE, "what ran before was the image of the first commit"
    assert clinics.running() != published(forge)
