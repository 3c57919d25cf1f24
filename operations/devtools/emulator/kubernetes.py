"""The cluster of ``VET_TEST_KUBECONFIG``, by kubectl."""

import base64
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from operations.shared.errors import Failure

HOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")


@dataclass(frozen=True)
class Kubernetes:
    """A cluster and the administrator's way in."""

    kubectl: str
    kubeconfig: Path

    def run(self, *arguments: str) -> str:
        """What kubectl prints.

        Raises:
            Failure: it failed; the text is its own.
        """
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            raise Failure(f"kubectl {' '.join(arguments)} ended with {answer.returncode}: {answer.stderr.strip()}")
        return answer.stdout

    def names(self, kind: str) -> set[str]:
        """Names of all objects of a kind, in all namespaces."""
        return set(self.run("get", kind, "-A", "-o", "jsonpath={.items[*].metadata.name}").split())

    def secrets(self) -> dict[str, dict[str, bytes]]:
        """Contents of all Secrets but Helm's own, by namespace/name."""
        items = json.loads(self.run("get", "secrets", "-A", "-o", "json"))["items"]
        return {
            f"{item['metadata']['namespace']}/{item['metadata']['name']}": {
                key: base64.b64decode(value) for key, value in (item.get("data") or {}).items()
            }
            for item in items
            if item["type"] != "helm.sh/release.v1"
        }

    @property
    def address(self) -> str:
        """URL of the API."""
        return str(self._entry("clusters", "cluster")["server"])

    @property
    def certificate_authority(self) -> str:
        """PEM of the API's certificate authority."""
        return self._pem(self._entry("clusters", "cluster"), "certificate-authority")

    @property
    def certified_name(self) -> str:
        """A DNS name in the API's certificate other than its address, so that the providers must ask for it."""
        where = urlsplit(self.address)
        context = ssl.create_default_context(cadata=self.certificate_authority)
        context.check_hostname = False
        with (
            socket.create_connection((where.hostname, where.port)) as connection,
            context.wrap_socket(connection) as secured,
        ):
            certificate = secured.getpeercert() or {}
        names: Any = certificate.get("subjectAltName", ())
        return next(str(value) for kind, value in names if kind == "DNS")

    def exec_credential(self) -> str:
        """The administrator's credentials as an ExecCredential document, which the servers store for the providers."""
        user = self._entry("users", "user")
        if "token" in user:
            status = {"token": user["token"]}
        else:
            status = {
                "clientCertificateData": self._pem(user, "client-certificate"),
                "clientKeyData": self._pem(user, "client-key"),
            }
        return json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})

    @property
    def is_simulated(self) -> bool:
        """Whether nodes and pods are simulated (kwok): kubelets give a version, and nothing in a pod runs."""
        versions = self.run("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}").split()
        return not any(version.startswith("v") for version in versions)

    @contextmanager
    def without_webhooks(self) -> Iterator[None]:
        """Take away admission webhooks as they come, where nobody would answer them because pods are simulated."""
        watches = [self._watch(kind) for kind in HOOKS] if self.is_simulated else []
        threads = [threading.Thread(target=self._remove, args=(watch,)) for watch in watches]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for watch in watches:
                watch.terminate()
            for thread in threads:
                thread.join()

    def _watch(self, kind: str) -> "subprocess.Popen[str]":
        """A line for each object of the kind, and for each that comes or changes: an object waits for nobody's next look."""
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig), "get", kind, "--watch", "--output=name"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _remove(self, watch: "subprocess.Popen[str]") -> None:
        assert watch.stdout is not None
        for name in watch.stdout:
            self.run("delete", name.strip(), "--ignore-not-found", "--wait=false")

    def _entry(self, group: str, kind: str) -> dict[str, Any]:
        document = yaml.safe_load(self.kubeconfig.read_text())
        entry: dict[str, Any] = document[group][0][kind]
        return entry

    @staticmethod
    def _pem(entry: dict[str, Any], name: str) -> str:
        inline = entry.get(f"{name}-data")
        return base64.b64decode(inline).decode() if inline else Path(entry[name]).read_text()
