"""A cluster, charts and an AWS emulator at hand, and the Helm stack synthesised for them."""

import json
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
import pytest

import main
from operations.emulator import REPOSITORY, Emulator
from operations.emulator.stack import Stack
from settings import Settings, load
from settings.names import Names, helm_stack, infrastructure_stack, state_key
from settings.release_sets import release_set as releases
from tests.platform.charts import collect, serve
from tests.platform.kubernetes import Kubernetes

CASES = {"dev-documented": ("dev", "documented"), "prod-current": ("prod", "current")}
"""Environment and release set: each of them once."""

IMAGE = "0123abc"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CANARY = "canary-Zx81"
"""Part of every secret that AWS holds here; it must not come out of Terraform anywhere."""


def tool(name: str) -> str:
    """Path of a program that ``make test-platform`` fetches, or the machine's own."""
    path = shutil.which(name, path=str(REPOSITORY / ".tools")) or shutil.which(name)
    if not path:
        pytest.skip(f"needs {name}: run make test-platform, or put {name} on PATH")
    return path


@pytest.fixture(scope="session")
def kubernetes() -> Kubernetes:
    """The cluster at hand."""
    kubeconfig = os.environ.get("VET_TEST_KUBECONFIG")
    if not kubeconfig:
        pytest.skip(
            "set VET_TEST_KUBECONFIG to an administrator's kubeconfig of a cluster that may be filled and emptied"
        )
    return Kubernetes(tool("kubectl"), Path(kubeconfig))


@pytest.fixture(scope="session", params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An environment and a release set."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A repository with the charts at hand."""
    charts = os.environ.get("VET_TEST_CHARTS")
    if not charts:
        pytest.skip("set VET_TEST_CHARTS to a folder with the charts of the release sets, unpacked or as .tgz")
    folder = tmp_path_factory.mktemp("charts") / "repository"
    collect(tool("helm"), Path(charts), folder)
    with serve(folder) as url:
        yield url


@pytest.fixture(scope="session")
def settings(mirror: str, case: tuple[str, str]) -> Settings:
    """The repository's settings of one environment, with the mirror, the release set and an image."""
    found, (name, release_set) = load(), case
    environment = found.environment(name)
    changed = environment.model_copy(
        update={
            "charts": environment.charts.model_copy(update={"mirror": mirror}),
            "cluster": environment.cluster.model_copy(update={"release_set": release_set}),
            "application": environment.application.model_copy(update={"image": IMAGE}),
            "agents": environment.agents.model_copy(update={"autoscaler": _has(mirror, release_set)}),
        }
    )
    return replace(found, environments=(changed,))


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


def _outputs(names: Names, kubernetes: Kubernetes) -> dict[str, Any]:
    """What ``vet-<env>`` would publish about the cluster at hand."""
    account_id = names.project.account_id
    role = f"arn:aws:iam::{account_id}:role/{names.base}"
    return {
        "api_address": kubernetes.address,
        "api_host": _certified_name(kubernetes),
        "cluster_ca_parameter": names.parameter("cluster-ca"),
        "credentials_prefix": names.secret("credentials"),
        "database_bucket": names.bucket("database"),
        "image_repository_name": names.application_repository,
        "ingress_host": "alb.example.com",
        "pod_role_arns": {name: f"{role}-{name}" for name in ("storage", "certificates", "autoscaler", "database")},
        "volumes_key_arn": f"arn:aws:kms:us-east-1:{account_id}:key/volumes",
        "zone_id": "Z0123456789",
    }


def _certified_name(kubernetes: Kubernetes) -> str:
    """A DNS name in the API's certificate other than its address, so that the providers must ask for it."""
    where = urlsplit(kubernetes.address)
    context = ssl.create_default_context(cadata=kubernetes.certificate_authority)
    context.check_hostname = False
    with (
        socket.create_connection((where.hostname, where.port)) as connection,
        context.wrap_socket(connection) as secured,
    ):
        found = secured.getpeercert() or {}
    names: Any = found.get("subjectAltName", ())
    return next(str(value) for kind, value in names if kind == "DNS")


def client(aws: Emulator, service: str) -> Any:
    """A client of the emulator."""
    session = boto3.Session(aws_access_key_id="emulator", aws_secret_access_key="emulator", region_name="us-east-1")
    return session.client(service, endpoint_url=aws.url)


def publish_certificate_authority(aws: Emulator, names: Names, value: str) -> None:
    """What a server does once the cluster is there."""
    parameter = names.parameter("cluster-ca")
    client(aws, "ssm").put_parameter(Name=parameter, Value=value, Type="String", Overwrite=True)


@pytest.fixture(scope="session")
def account(aws: Emulator, names: Names) -> None:
    """What the account has before there is any environment: the state bucket."""
    s3, bucket = client(aws, "s3"), names.project.state_bucket
    if bucket not in {found["Name"] for found in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)


@pytest.fixture(scope="session")
def environment_deployed(account: None, aws: Emulator, names: Names, kubernetes: Kubernetes) -> None:
    """AWS as the infrastructure stack leaves it, as far as the Helm stack looks."""
    outputs = _outputs(names, kubernetes)
    state = {
        "version": 4,
        "terraform_version": "1.11.0",
        "serial": 1,
        "lineage": "test",
        "outputs": {
            name: {"value": value, "type": ["map", "string"] if isinstance(value, dict) else "string"}
            for name, value in outputs.items()
        },
        "resources": [],
    }
    publish_certificate_authority(aws, names, "pending")
    key = state_key(infrastructure_stack(names.environment.name))
    client(aws, "s3").put_object(Bucket=names.project.state_bucket, Key=key, Body=json.dumps(state))
    secrets = client(aws, "secretsmanager")
    secrets.create_secret(Name=names.secret("credentials/admin"), SecretString=kubernetes.exec_credential())
    for purpose in ("credentials/deploy", "credentials/read", "server-token", "agent-token"):
        secrets.create_secret(Name=names.secret(purpose), SecretString=f"{CANARY}-{purpose}")
    repository, images = names.application_repository, client(aws, "ecr")
    images.create_repository(repositoryName=repository)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": "sha256:" + "0" * 64}, "layers": []}
    images.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=IMAGE)


@pytest.fixture(scope="session")
def stack(
    settings: Settings, names: Names, aws: Emulator, account: None, tmp_path_factory: pytest.TempPathFactory
) -> Stack:
    """The stack's folder, in which Terraform talks to the emulator and to the cluster."""
    if shutil.which("terraform") is None:
        pytest.skip("Terraform is not on PATH: install Terraform 1.11 or newer")
    folder = tmp_path_factory.mktemp("platform") / "cdktf.out"
    main.build_app(settings, outdir=str(folder)).synth()
    return Stack(folder / "stacks" / helm_stack(names.environment.name), aws.environment)
