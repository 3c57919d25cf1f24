"""API servers of Kubernetes' versions, one at a time over the same etcd: what stays on a cluster while its servers are rolled to another minor.

There are no controllers and no pods: objects are validated, defaulted, converted and stored as the version does it, and nothing becomes ready.
"""

import base64
import os
import re
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from operations.devtools.emulator.kubernetes import Kubernetes

PROGRAM, VERSIONS = "VET_TEST_API", "VET_TEST_API_VERSIONS"
"""Environment variables: a program that starts API servers, and the versions that it is to start, such as ``v1.26.15 v1.35.7``.

``PROGRAM up VERSION`` starts one over what the last one stored, and prints the path of an administrator's kubeconfig; ``PROGRAM down
[--forget]`` ends it. etcd's data are in the folder ``etcd`` of ``API_HOME``."""

NAME = "kubernetes.default.svc"
"""In the certificate of every API server that makes its own."""


@dataclass(frozen=True)
class ApiServer(Kubernetes):
    """One that is running, with a certificate that it has made for itself."""

    @property
    def certified_name(self) -> str:
        return NAME


class ApiServers:
    """The program, and where it keeps its data.

    :param home: folder of etcd, kubeconfig and programs; what was built there before is not built again.
    """

    def __init__(self, program: str, home: Path, kubectl: str) -> None:
        self._program, self._home, self._kubectl = program, home, kubectl

    def start(self, version: str) -> ApiServer:
        """Start that version over what the last one stored, such as ``v1.26.15``."""
        printed = self._run("up", version)
        return ApiServer(self._kubectl, _trusting(Path(printed.strip().splitlines()[-1])))

    def stop(self, *, forget: bool = False) -> None:
        """End the one that runs."""
        self._run("down", *(["--forget"] if forget else []))

    def save(self, to: Path) -> None:
        """Copy what is stored. Nothing may run meanwhile."""
        shutil.copytree(self._home / "etcd", to)

    def bring_back(self, saved: Path) -> None:
        """Put a copy in place of what is stored. Nothing may run meanwhile."""
        shutil.rmtree(self._home / "etcd")
        shutil.copytree(saved, self._home / "etcd")

    def _run(self, *words: str) -> str:
        environment = {**os.environ, "API_HOME": str(self._home)}
        answer = subprocess.run([self._program, *words], env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, f"{self._program} {' '.join(words)}: {answer.stderr[-2000:]}"
        return answer.stdout


@dataclass(frozen=True)
class Requests:
    """What an API server has counted of requests for versions of kinds that will be removed."""

    text: str

    @cached_property
    def removed(self) -> dict[str, str]:
        """Minor in which the version is gone, by ``group/version resource``."""
        counted = re.findall(r"^apiserver_requested_deprecated_apis\{(.*?)\} 1$", self.text, flags=re.MULTILINE)
        apis = {}
        for labels in counted:
            label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            if label["removed_release"]:
                apis[f"{label['group']}/{label['version']} {label['resource']}"] = label["removed_release"]
        return apis


def _trusting(kubeconfig: Path) -> Path:
    """A kubeconfig that knows the server's certificate beforehand, as a real cluster's does."""
    document = yaml.safe_load(kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    where = urlsplit(cluster["server"])
    certificate = ssl.get_server_certificate((str(where.hostname), where.port or 443))
    cluster.pop("insecure-skip-tls-verify", None)
    cluster["certificate-authority-data"] = base64.b64encode(certificate.encode()).decode()
    path = kubeconfig.with_name("trusting.kubeconfig")
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path
