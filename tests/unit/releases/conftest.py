"""What the tests of releases share: the releases of a set, sample values from settings, and charts rendered by Helm."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.helm_values import FOLDER, merge, values, web_identity
from settings.release_sets import ReleaseSet, release_set

ROLE = "arn:aws:iam::123456789012:role/vet-test"
REGION = "us-east-1"

NAMESPACES = {
    "aws-cloud-controller-manager": "kube-system",
    "aws-ebs-csi-driver": "kube-system",
    "cert-manager": "cert-manager",
    "cluster-autoscaler": "kube-system",
    "cloudnative-pg": "cnpg-system",
    "ingress-nginx": "ingress-nginx",
    "plugin-barman-cloud": "cnpg-system",
    "rancher": "cattle-system",
}
"""Charts of others and the namespaces that they go to."""

LOCAL = {"access": "kube-system", "cluster-issuers": "cert-manager", "database": "vet-app", "vet-app-secret": "vet-app"}
"""Local charts and their namespaces."""

Manifest = dict[str, Any]
Render = Callable[[str, str, str], list[Manifest]]


def derived(release: str, releases: ReleaseSet, environment: str) -> dict[str, Any]:
    """What settings and AWS would add to a release's values."""
    prod = environment == "prod"
    env = web_identity(ROLE, REGION)
    samples: dict[str, dict[str, Any]] = {
        "aws-cloud-controller-manager": {"image": {"tag": releases["aws-cloud-controller-manager-image"].version}},
        "aws-ebs-csi-driver": {
            "controller": {"region": REGION, "env": env, "extraVolumeTags": {"Environment": "test"}}
        },
        "cert-manager": {"extraEnv": env},
        "cluster-issuers": {"email": "a@example.com", "region": REGION, "hostedZoneId": "Z1", "dnsZone": "example.com"},
        "cluster-autoscaler": {
            "awsRegion": REGION,
            "autoDiscovery": {"clusterName": "vet-test"},
            "image": {"tag": releases["cluster-autoscaler-image"].version},
            "extraEnv": {variable["name"]: variable["value"] for variable in env},
        },
        "ingress-nginx": {
            "controller": {
                "config": {"proxy-real-ip-cidr": "10.0.1.0/24,10.0.2.0/24"},
                "extraArgs": {"publish-status-address": "alb.example.com"},
            }
        },
        "rancher": {"hostname": "rancher.example.com", "replicas": 3 if prod else 1},
        "database": {
            "image": releases["postgresql"].image,
            "instances": 3 if prod else 1,
            "keep": prod,
            "storage": {"size": "5Gi"},
            "backup": {"bucket": "vet-test-database", "retentionDays": 7, "region": REGION, "roleArn": ROLE},
        },
        "access": {"applicationNamespace": "vet-app"},
    }
    return samples.get(release, {})


def merged(release: str, set_name: str, environment: str) -> dict[str, Any]:
    """All values of a release, as the stack would hand them to Helm."""
    return merge(values(release, set_name, environment), derived(release, release_set(set_name), environment))


def installed(set_name: str) -> list[str]:
    """Releases of a set that come from charts of others."""
    return [release for release in NAMESPACES if release in release_set(set_name)]


@pytest.fixture(scope="session")
def helm() -> str:
    """Path of Helm."""
    path = os.environ.get("VET_TEST_HELM") or shutil.which("helm")
    if not path:
        pytest.skip("needs Helm 3: put helm on PATH or its path into VET_TEST_HELM")
    return path


@pytest.fixture(scope="session")
def charts() -> Path:
    """Folder with the charts of the release sets, as <chart>-<version>/."""
    folder = os.environ.get("VET_TEST_CHARTS")
    if not folder:
        pytest.skip(
            "set VET_TEST_CHARTS to a folder with the unpacked charts of the release sets, as <chart>-<version>/"
        )
    return Path(folder)


def helm_template(
    helm: str, chart: Path, release: str, namespace: str, given: dict[str, Any], *more: str
) -> list[Manifest]:
    """What Helm renders, as manifests."""
    run = subprocess.run(
        [helm, "template", release, str(chart), "--namespace", namespace, "--values", "-", *more],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"helm template {release}: {run.stderr}"
    return [manifest for manifest in yaml.load_all(run.stdout, Loader=yaml.CSafeLoader) if manifest]


@pytest.fixture(scope="session")
def render(request: pytest.FixtureRequest) -> Render:
    """Renders a release of a set in an environment; each once."""
    done: dict[tuple[str, str, str], list[Manifest]] = {}
    helm_path: str = request.getfixturevalue("helm")

    def rendered(release: str, set_name: str, environment: str) -> list[Manifest]:
        key = (release, set_name, environment)
        if key not in done:
            releases = release_set(set_name)
            given = merged(release, set_name, environment)
            if release in LOCAL:
                done[key] = helm_template(helm_path, FOLDER / "charts" / release, release, LOCAL[release], given)
                return done[key]
            pinned = releases[release]
            chart = request.getfixturevalue("charts") / f"{pinned.chart.name}-{pinned.version}"
            if not chart.is_dir():
                pytest.skip(f"VET_TEST_CHARTS has no {chart.name}/: unpack that chart there")
            more = ["--kube-version", releases.kubernetes, "--api-versions", "snapshot.storage.k8s.io/v1"]
            done[key] = helm_template(helm_path, chart, release, NAMESPACES[release], given, *more)
        return done[key]

    return rendered
