"""A cluster, charts and an AWS emulator available, and the Helm stack synthesised for them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import main
from operations.devtools.emulator import Emulator, local_cluster
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from operations.shared.terraform import binary
from settings import Settings, load
from settings.names import Names, helm_stack, infrastructure_stack, state_key
from settings.release_sets import release_set as releases
from tests.cluster import kubernetes

__all__ = ["kubernetes"]

CASES = {"dev-documented": ("dev", "documented"), "prod-current": ("prod", "current")}
"""Environment and release set: each of them once."""

CANARY = "canary-Zx81"
"""Part of every secret that AWS holds here; it must not come out of Terraform anywhere."""


@pytest.fixture(scope="session", params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An environment and a release set."""
    case: tuple[str, str] = request.param
    return case


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A repository with the charts available."""
    try:
        with local_cluster.mirror(tmp_path_factory.mktemp("charts")) as url:
            yield url
    except local_cluster.Absent as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="session")
def settings(mirror: str, case: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The repository's settings of one environment, with the mirror, the release set and an image."""
    name, release_set = case
    changes = {
        "charts": {"mirror": mirror},
        "cluster": {"release_set": release_set},
        "application": {"image": local_cluster.IMAGE},
        "agents": {"autoscaler": _has(mirror, release_set)},
    }
    return load(local_cluster.environments(tmp_path_factory.mktemp("settings"), name, changes))


def _has(mirror: str, release_set: str) -> bool:
    """Whether the mirror has the autoscaler's chart, which is off by default."""
    release = releases(release_set)["cluster-autoscaler"]
    index = urlopen(f"{mirror}/index.yaml").read().decode()
    return f"{release.chart.name}-{release.version}.tgz" in index


@pytest.fixture(scope="session")
def names(settings: Settings) -> Names:
    """Names of what the environment has in AWS."""
    (environment,) = settings.environments
    return Names(settings.project, environment)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The AWS emulator."""
    with Emulator(tmp_path_factory.mktemp("aws") / "emulator.log") as emulator:
        yield emulator


def outputs(names: Names, address: str, host: str) -> dict[str, Any]:
    """What ``vet-<env>`` would publish about a cluster with that API address, and that name in its certificate."""
    account_id = names.project.account_id
    role = f"arn:aws:iam::{account_id}:role/{names.base}"
    return {
        "api_address": address,
        "api_host": host,
        "cluster_ca_parameter": names.parameter("cluster-ca"),
        "credentials_prefix": names.secret("credentials"),
        "database_bucket": names.bucket("database"),
        "image_repository_name": names.application_repository,
        "ingress_host": "alb.example.com",
        "pod_role_arns": {name: f"{role}-{name}" for name in ("storage", "certificates", "autoscaler", "database")},
        "volumes_key_arn": f"arn:aws:kms:us-east-1:{account_id}:key/volumes",
        "zone_id": "Z0123456789",
    }


def client(aws: Emulator, service: str) -> Any:
    """A client of the emulator in the region of the environments."""
    return local_cluster.client(aws, service, "us-east-1")


def make_repository(aws: Emulator, name: str) -> None:
    """A registry's repository; tests that share the emulator may have made it before."""
    registry = client(aws, "ecr")
    with suppress(registry.exceptions.RepositoryAlreadyExistsException):
        registry.create_repository(repositoryName=name)


@pytest.fixture(scope="session")
def account(aws: Emulator, names: Names) -> None:
    """What the account has before there is any environment: the state bucket."""
    s3, bucket = client(aws, "s3"), names.project.state_bucket
    if bucket not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)


@pytest.fixture(scope="session")
def environment_deployed(account: None, aws: Emulator, names: Names, kubernetes: Kubernetes) -> None:
    """AWS as the infrastructure stack leaves it, as far as the Helm stack looks."""
    local_cluster.publish_certificate_authority(aws, names, "pending")
    publish(aws, names, outputs(names, kubernetes.address, kubernetes.certified_name), kubernetes.exec_credential())


def publish(aws: Emulator, names: Names, published: dict[str, Any], administrator: str) -> None:
    """Store the infrastructure's outputs, the administrator's credentials, and an image."""
    state = {
        "version": 4,
        "terraform_version": "1.11.0",
        "serial": 1,
        "lineage": "test",
        "outputs": {
            name: {"value": value, "type": ["map", "string"] if isinstance(value, dict) else "string"}
            for name, value in published.items()
        },
        "resources": [],
    }
    key = state_key(infrastructure_stack(names.environment.name))
    client(aws, "s3").put_object(Bucket=names.project.state_bucket, Key=key, Body=json.dumps(state))
    secrets = client(aws, "secretsmanager")
    secrets.create_secret(Name=names.secret("credentials/admin"), SecretString=administrator)
    for purpose in ("credentials/deploy", "credentials/read", "server-token", "agent-token"):
        secrets.create_secret(Name=names.secret(purpose), SecretString=f"{CANARY}-{purpose}")
    make_repository(aws, names.application_repository)
    local_cluster.push_image(aws, names)


@pytest.fixture(scope="session")
def stack(
    settings: Settings, names: Names, aws: Emulator, account: None, tmp_path_factory: pytest.TempPathFactory
) -> Stack:
    """The stack's folder, in which Terraform talks to the emulator and to the cluster."""
    if shutil.which(binary()) is None:
        pytest.skip("neither Terraform nor OpenTofu is on PATH: install Terraform 1.11 or newer")
    folder: Path = tmp_path_factory.mktemp("platform") / "cdktf.out"
    main.build_app(settings, outdir=str(folder)).synth()
    return Stack(folder / "stacks" / helm_stack(names.environment.name), aws.environment)
