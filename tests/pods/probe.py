"""Pods of the application's image that a test makes, and what is run in them."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pods.conftest import NAMESPACE, Platform
from tests.unit.platform.network import Endpoint

CONNECT = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()"


@dataclass(frozen=True)
class Source:
    """A pod in which something is run."""

    end: Endpoint
    container: str
    python: str

    def reaches(self, platform: Platform, target: Endpoint, port: int) -> bool:
        """Whether a connection opens."""
        return platform.ends_well(*self._exec(), "-c", CONNECT, target.address, str(port))

    def start(self, platform: Platform, program: Path, *words: str) -> "subprocess.Popen[str]":
        """Start a Python program of this folder in it; what it prints is read from the process."""
        kubectl = (platform.kubernetes.kubectl, "--kubeconfig", str(platform.kubernetes.kubeconfig))
        with program.open() as text:
            return subprocess.Popen(
                [*kubectl, *self._exec("-i"), "-", *words],
                stdin=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def _exec(self, *flags: str) -> tuple[str, ...]:
        return ("-n", str(self.end.namespace), "exec", *flags, self.end.name, "-c", self.container, "--", self.python)


def running(platform: Platform, namespace: str, selector: str) -> Endpoint:
    """One of the running pods with a label."""
    words = ("--selector", selector, "--field-selector=status.phase=Running", "--output=json")
    pods = json.loads(platform.kubernetes.run("get", "pods", "-n", namespace, *words))["items"]
    assert pods, f"no pod of {selector} runs in {namespace}"
    labels = tuple(pods[0]["metadata"]["labels"].items())
    named = (port for each in pods[0]["spec"]["containers"] for port in each.get("ports", []) if "name" in port)
    ports = tuple((port["name"], port["containerPort"]) for port in named)
    return Endpoint(pods[0]["metadata"]["name"], pods[0]["status"]["podIP"], namespace, labels, ports)


@contextmanager
def probe(
    platform: Platform,
    name: str,
    namespace: str = NAMESPACE,
    labels: Mapping[str, str] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Iterator[Source]:
    """A pod that does nothing until something is run in it; it ends with the block.

    :param changes: of its specification, such as volumes.
    """
    _run(platform, name, namespace, labels or {}, changes or {})
    try:
        yield Source(running(platform, namespace, f"probe={name}"), "probe", "python")
    finally:
        gone = ("--ignore-not-found", "--grace-period=1")
        platform.kubernetes.run("delete", "pod", f"probe-{name}", "-n", namespace, *gone)


def _run(platform: Platform, name: str, namespace: str, labels: Mapping[str, str], changes: Mapping[str, Any]) -> None:
    template = json.loads(platform.kubectl("get", "deployment/vet-app", "--output=json"))["spec"]["template"]["spec"]
    (container,) = template["containers"]
    given = dict(changes)
    sleeping = {
        "name": "probe",
        "command": ["python", "-c", "import time; time.sleep(3600)"],
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}},
        **{key: container[key] for key in ("image", "imagePullPolicy", "securityContext")},
        **given.pop("container", {}),
    }
    spec = {
        "automountServiceAccountToken": False,
        "containers": [sleeping],
        **{key: template[key] for key in ("affinity", "securityContext")},
        **given,
    }
    overrides = json.dumps({"apiVersion": "v1", "spec": spec})
    marks = ",".join(f"{key}={value}" for key, value in {**labels, "probe": name}.items())
    run = ("run", f"probe-{name}", "--image", container["image"], "--labels", marks, "--overrides", overrides)
    platform.kubernetes.run("delete", "pod", f"probe-{name}", "-n", namespace, "--ignore-not-found")
    platform.kubernetes.run(*run, "--restart=Never", "-n", namespace)
    platform.kubernetes.run("wait", f"pod/probe-{name}", "-n", namespace, "--for=condition=Ready", "--timeout=120s")
