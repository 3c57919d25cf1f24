"""What the tests of releases share: sample values from settings, and what Helm renders with them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from modules.platform.ingress import answers, hsts
from modules.platform.rancher import fleet_on_servers
from settings import load
from settings.helm_values import merge, values, web_identity
from settings.namespaces import LOGGING, MONITORING, VELERO, controllers, on_agents
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
    "kured": "kube-system",
    "plugin-barman-cloud": "cnpg-system",
    "rancher": "cattle-system",
    "traefik": "ingress-nginx",
}
"""Charts of others and the namespaces that they go to; Traefik takes the place of ingress-nginx where ``cluster.ingress`` asks for it."""

LOCAL = {
    "access": "kube-system",
    "cluster-issuers": "cert-manager",
    "database": "vet-app",
    "interruption-handler": "kube-system",
    "objects": "default",
    "vet-app-secret": "vet-app",
    "volume-guard": "kube-system",
}
"""Local charts and their namespaces."""

AGAIN = {"rancher-password": "cattle-system"}
"""Further releases of local charts and their namespaces."""

SERVICES = {"monitoring": MONITORING, "monitoring-crds": MONITORING, "fluent-bit": LOGGING, "velero": VELERO}
"""Charts of others that come with services (``services``), and the namespaces that they go to; tests/unit/services looks at them."""

OF_SERVICES = {"clinic-monitoring": MONITORING, "grafana-password": MONITORING}
"""Local charts that come with services, and their namespaces."""

Manifest = dict[str, Any]
Render = Callable[[str, str, str], list[Manifest]]


def derived(release: str, releases: ReleaseSet, environment: str) -> dict[str, Any]:
    """What settings and AWS would add to a release's values."""
    prod = environment == "prod"
    env = web_identity(ROLE, REGION)
    samples: dict[str, dict[str, Any]] = {
        "aws-cloud-controller-manager": {"image": {"tag": releases["aws-cloud-controller-manager-image"].tag}},
        "aws-ebs-csi-driver": {
            "controller": {
                "region": REGION,
                "env": env,
                "extraVolumeTags": {"Environment": "test"},
                **({} if prod else {"affinity": {"nodeAffinity": on_agents(), "podAntiAffinity": None}}),
            }
        },
        "cert-manager": {
            "extraEnv": env,
            **controllers("webhook", "cainjector", "startupapicheck", dedicated=prod),
        },
        "cloudnative-pg": controllers(dedicated=prod),
        "plugin-barman-cloud": controllers(dedicated=prod),
        "cluster-issuers": {"email": "a@example.com", "region": REGION, "hostedZoneId": "Z1", "dnsZone": "example.com"},
        **_of_machines(releases, dedicated=prod),
        **_of_ingress(),
        "kured": {
            "configuration": {
                "rebootDays": ["sat", "sun"],
                "startTime": "02:00",
                "endTime": "05:00",
                "timeZone": "America/New_York",
            }
        },
        "rancher": {
            "hostname": "rancher.example.com",
            "replicas": 3 if prod else 1,
            **fleet_on_servers(releases["rancher"].program, dedicated=prod),
        },
        "database": {
            "image": releases["postgresql"].image,
            "instances": 3 if prod else 1,
            "keep": prod,
            "storage": {"size": "5Gi"},
            "backup": {"bucket": "vet-test-database", "retentionDays": 7, "region": REGION, "roleArn": ROLE},
            **({} if prod else {"nodeAffinity": on_agents()}),
        },
        "access": {"applicationNamespace": "vet-app"},
        "objects": {
            "objects": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": "{{ no }}\n- x"}}
                for name in ("one", "two")
            ]
        },
        "volume-guard": {"image": releases["kubectl"].image},
    }
    return samples.get(release, {})


def _of_ingress() -> dict[str, dict[str, Any]]:
    """For whichever ingress controller there is."""
    return {
        "ingress-nginx": {
            "controller": {
                "config": {"proxy-real-ip-cidr": "10.0.1.0/24,10.0.2.0/24", **hsts(86_400)},
                "extraArgs": {"publish-status-address": "alb.example.com"},
            }
        },
        "traefik": {
            "ports": {
                "websecure": {
                    "transport": {"respondingTimeouts": {"idleTimeout": "4015s"}},
                    "forwardedHeaders": {"trustedIPs": ["10.0.1.0/24", "10.0.2.0/24"]},
                }
            },
            "providers": {
                "kubernetesIngressNGINX": {"publishStatusAddress": "alb.example.com", "upstreamKeepaliveTimeout": 15},
                "file": {"content": answers(86_400)},
            },
        },
    }


def _of_machines(releases: ReleaseSet, *, dedicated: bool) -> dict[str, dict[str, Any]]:
    """For what adds machines, and what empties those that AWS takes back."""
    env = web_identity(ROLE, REGION)
    return {
        "cluster-autoscaler": {
            "awsRegion": REGION,
            "autoDiscovery": {"clusterName": "vet-test"},
            "image": {"tag": releases["cluster-autoscaler-image"].tag},
            "extraEnv": {variable["name"]: variable["value"] for variable in env},
            **controllers(dedicated=dedicated),
        },
        "interruption-handler": {
            "image": releases["aws-node-termination-handler"].image,
            "region": REGION,
            "queueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/vet-test-interruptions",
            "roleArn": ROLE,
            "managedTag": "aws-node-termination-handler/vet-test",
        },
    }


def merged(release: str, set_name: str, environment: str) -> dict[str, Any]:
    """All values of a release, as the stack would hand them to Helm."""
    return merge(
        values(release, set_name),
        derived(release, release_set(set_name), environment),
        load().environment(environment).values.get(release, {}),
    )


def installed(set_name: str) -> list[str]:
    """Releases of a set that come from charts of others."""
    return [release for release in NAMESPACES if release in release_set(set_name)]


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


def pods(manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """Pod specs by the name of what makes them."""
    specs = {}
    for manifest in manifests:
        spec = manifest.get("spec") or {}
        if manifest["kind"] in {"Deployment", "DaemonSet", "StatefulSet", "Job"}:
            specs[manifest["metadata"]["name"]] = spec["template"]["spec"]
        elif manifest["kind"] == "Pod":
            specs[manifest["metadata"]["name"]] = spec
    return specs


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """All containers of a pod spec."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The one manifest of that kind and name."""
    matches = [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name]
    assert len(matches) == 1, f"no {kind} {name} in {[(m['kind'], m['metadata']['name']) for m in manifests]}"
    return matches[0]


def kinds(manifests: list[Manifest]) -> set[str]:
    """Kinds that are there."""
    return {manifest["kind"] for manifest in manifests}
