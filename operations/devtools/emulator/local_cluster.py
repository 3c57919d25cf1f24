"""A Kubernetes cluster and Helm charts that are available, for the Helm stack on an emulated account: ``make drill``, ``make test-platform``.

The emulator plays AWS, but no server in it runs. What servers and people would bring is brought here: the cluster's certificate authority,
its credentials, and an image of the application.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError

from operations.devtools.emulator import Emulator
from operations.devtools.emulator.chart_repository import collect, serve
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.shared.programs import Absent as Absent
from operations.shared.programs import tool as tool
from operations.supply_chain import charts
from settings.documents import merged
from settings.former_keys import with_present_keys
from settings.loader import COMMON, ENVIRONMENTS, PROJECT
from settings.names import Names

KUBECONFIG = "VET_TEST_KUBECONFIG"
"""Environment variable with the kubeconfig of a cluster for tests."""

IMAGE = "0123abc"
"""Tag of the application's image in the emulated registry."""

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def kubernetes() -> Kubernetes:
    """The cluster of ``VET_TEST_KUBECONFIG``.

    Raises:
        Absent: there is none.
    """
    kubeconfig = os.environ.get(KUBECONFIG)
    if not kubeconfig:
        raise Absent(f"set {KUBECONFIG} to an administrator's kubeconfig of a cluster that may be filled and emptied")
    return Kubernetes(tool("kubectl"), Path(kubeconfig))


@contextmanager
def mirror(folder: Path, *, keep_kube_version: bool = False) -> Iterator[str]:
    """Serve the fetched charts from ``folder`` as one repository; yields its URL, which ``charts.mirror`` takes.

    :param keep_kube_version: as for ``collect``.

    Raises:
        Absent: there are none.
    """
    archives = charts.fetched()
    if not archives:
        raise Absent(f"run make charts, or set {charts.CHARTS} to a folder with the charts of the release sets")
    collect(tool("helm"), archives, folder, keep_kube_version=keep_kube_version)
    with serve(folder) as url:
        yield url


def environments(folder: Path, name: str, changes: Mapping[str, Any]) -> Path:
    """Write settings with one environment of the repository's, some values changed, into ``folder``; returns it."""
    folder.mkdir(exist_ok=True)
    for file in (PROJECT, COMMON):
        shutil.copy(ENVIRONMENTS / file, folder)
    document = yaml.safe_load((ENVIRONMENTS / f"{name}.yaml").read_text())
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(merged(with_present_keys(document), dict(changes))))
    return folder


def client(aws: Emulator, service: str, region: str) -> Any:
    """A client of the emulator."""
    variables = aws.variables
    session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name=region)
    return session.client(service, endpoint_url=aws.url)


def publish_certificate_authority(aws: Emulator, names: Names, value: str) -> None:
    """What a server does once the cluster is there."""
    parameters = client(aws, "ssm", names.environment.region)
    parameters.put_parameter(Name=names.parameter("cluster-ca"), Value=value, Type="String", Overwrite=True)


def push_image(aws: Emulator, names: Names) -> None:
    """What ``make push`` does, as far as Terraform looks."""
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": "sha256:" + "0" * 64}, "layers": []}
    client(aws, "ecr", names.environment.region).put_image(
        repositoryName=names.application_repository, imageManifest=json.dumps(manifest), imageTag=IMAGE
    )


def simulate_servers(aws: Emulator, names: Names, cluster: Kubernetes) -> None:
    """Store what the servers of an applied ``vet-<env>`` would store about the cluster of ``VET_TEST_KUBECONFIG``, and push an image.

    Raises:
        ClientError: the infrastructure is not there, or not whole yet; nothing that Terraform makes was made instead.
    """
    region = names.environment.region
    client(aws, "ssm", region).get_parameter(Name=names.parameter("cluster-ca"))
    secret = names.secret("credentials/admin")
    client(aws, "secretsmanager", region).put_secret_value(SecretId=secret, SecretString=cluster.exec_credential())
    push_image(aws, names)
    publish_certificate_authority(aws, names, cluster.certificate_authority)


@contextmanager
def servers_simulated(aws: Emulator, names: Names, cluster: Kubernetes) -> Iterator[None]:
    """Bring the infrastructure to life as soon as somebody has deployed it, as its servers would do by themselves."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            with suppress(ClientError):
                simulate_servers(aws, names, cluster)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def terraform_variables(cluster: Kubernetes) -> dict[str, str]:
    """Terraform variables that lead the Helm stack to the cluster of ``VET_TEST_KUBECONFIG`` instead of the load balancer."""
    return {"TF_VAR_api_address": cluster.address, "TF_VAR_api_host": cluster.certified_name}
