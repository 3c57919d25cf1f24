"""The cluster at hand, by kubectl."""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")


@dataclass(frozen=True)
class Kubernetes:
    """A cluster and the administrator's way in."""

    kubectl: str
    kubeconfig: Path

    def run(self, *arguments: str) -> str:
        """What kubectl prints."""
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

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
    def played(self) -> bool:
        """Whether nodes and pods are played (kwok): kubelets give a version, and nothing in a pod runs."""
        versions = self.run("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}").split()
        return not any(version.startswith("v") for version in versions)

    @contextmanager
    def without_webhooks(self) -> Iterator[None]:
        """Take away admission webhooks as they come, where nobody would answer them because pods are played."""
        if not self.played:
            yield
            return
        done = threading.Event()
        thread = threading.Thread(target=self._remove_webhooks, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _remove_webhooks(self, done: threading.Event) -> None:
        while not done.wait(0.5):
            for kind in HOOKS:
                self.run("delete", kind, "--all", "--wait=false")

    def _entry(self, group: str, kind: str) -> dict[str, Any]:
        document = yaml.safe_load(self.kubeconfig.read_text())
        found: dict[str, Any] = document[group][0][kind]
        return found

    @staticmethod
    def _pem(entry: dict[str, Any], name: str) -> str:
        inline = entry.get(f"{name}-data")
        return base64.b64decode(inline).decode() if inline else Path(entry[name]).read_text()
