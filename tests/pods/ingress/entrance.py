"""The way into the cluster: the ingress controller's ports 80 and 443 on a server, and requests that go through it.

A request is made as the load balancer makes it: from an address in its subnets, to port 443, with whatever name the visitor asked for.
"""

import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from operations.devtools.emulator.certificates import Authority
from operations.devtools.emulator.kubernetes import Kubernetes
from settings.environment import Environment

VARIABLE = "VET_TEST_INGRESS"
"""Environment variable: address of a server on whose ports 80 and 443 the platform's ingress controller answers."""

HOW = (
    f"set {VARIABLE} to the address of a server of VET_TEST_KUBECONFIG's cluster, as seen from here: its ports 80 and 443 are the ingress "
    "controller's (tests/README.md says how to start one without a node)"
)

MADE_BY = {"Kubernetes Ingress Controller Fake Certificate": "nginx", "TRAEFIK DEFAULT CERT": "traefik"}
"""Whom the certificate for an unknown name is of, and which controller that is (``cluster.ingress``)."""

NAMESPACE = "vet-ingress-test"

SECRET = "tested-tls"


@dataclass(frozen=True)
class Answer:
    """What a visitor sees."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def asked(self) -> dict[str, list[str]]:
        """Headers that the backend got, by their name in small letters."""
        headers: dict[str, list[str]] = {}
        for name, value in json.loads(self.body)["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        return headers


@dataclass(frozen=True)
class Entrance:
    """A server's ports 80 and 443.

    :param environment: whose Ingress for the application the cluster has.
    """

    address: str
    environment: Environment
    kubernetes: Kubernetes
    own: list[str] = field(default_factory=lambda: _addresses())

    @property
    def balancer(self) -> str | None:
        """An address of this machine in the load balancer's subnets, if there is one."""
        networks = self.environment.network.balanced
        return next((each for each in self.own if any(ipaddress.ip_address(each) in net for net in networks)), None)

    @property
    def here(self) -> str:
        """Address of this machine that the entrance is reached from, outside of the load balancer's subnets."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((self.address, 443))
            return str(probe.getsockname()[0])

    def connect(
        self, name: str = "", *, source: str | None = None, port: int = 443, context: ssl.SSLContext | None = None
    ) -> socket.socket:
        """A connection; on 443 with TLS, in which the visitor names a host. Nobody's certificate is compared, as the load balancer's way is."""
        plain = socket.create_connection((self.address, port), 10, (source, 0) if source else None)
        plain.settimeout(200)
        return (context or anybody()).wrap_socket(plain, server_hostname=name or None) if port == 443 else plain

    def ask(
        self,
        host: str,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        source: str | None = None,
        port: int = 443,
    ) -> Answer:
        """One request on a connection of its own."""
        with self.connect(host.split(":")[0].rstrip("."), source=source, port=port) as connection:
            return ask_on(connection, host, path, method=method, headers=headers, body=body)

    def certificate_for(self, name: str) -> str:
        """Common name of the certificate that somebody gets who asks for a host."""
        with self.connect(name) as connection:
            assert isinstance(connection, ssl.SSLSocket), "443 is spoken to without TLS"
            given = connection.getpeercert(binary_form=True)
        assert given, "a server without a certificate"
        subject = x509.load_der_x509_certificate(given).subject
        return "".join(str(each.value) for each in subject.get_attributes_for_oid(NameOID.COMMON_NAME))

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Put objects into the cluster, which takes them."""
        refusal = self.refusal(*manifests)
        assert refusal is None, refusal

    def refusal(self, *manifests: Mapping[str, Any]) -> str | None:
        """Put objects into the cluster; what it says if it refuses one."""
        command = [self.kubernetes.kubectl, "--kubeconfig", str(self.kubernetes.kubeconfig), "apply", "-f", "-"]
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        answer = subprocess.run(command, input=given, text=True, capture_output=True, check=False)
        return answer.stderr.strip() if answer.returncode else None


def ask_on(
    connection: socket.socket,
    host: str,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """One request on a connection that is there, which stays open."""
    client = HTTPConnection(host)
    client.sock = connection
    client.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": host, **(headers or {})}.items():
        client.putheader(name, value)
    if body is not None:
        client.putheader("Content-Length", str(len(body)))
    client.endheaders()
    with suppress(OSError):  # it was refused before the end, and the answer is there
        connection.sendall(body or b"")
    response = HTTPResponse(connection, method=method)
    response.begin()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def anybody(version: ssl.TLSVersion | None = None, ciphers: str | None = None) -> ssl.SSLContext:
    """TLS that takes every certificate, and nothing but one version, where one is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


def tls_secret(*hosts: str) -> dict[str, Any]:
    """A certificate of nobody's authority, as cert-manager would keep it."""
    with tempfile.TemporaryDirectory() as folder:
        pair = Authority(Path(folder)).certificate("tested", hosts)
        data = dict(zip(("tls.crt", "tls.key"), (each.read_text() for each in pair), strict=True))
    return {**_named("v1", "Secret", SECRET), "type": "kubernetes.io/tls", "stringData": data}


def service(name: str, *endpoints: tuple[str, int]) -> list[dict[str, Any]]:
    """A Service like the application's, whose endpoints are not pods."""
    ports = [{"name": "http", "port": 80, "targetPort": endpoints[0][1], "protocol": "TCP"}]
    return [
        {**_named("v1", "Service", name), "spec": {"ports": ports}},
        *(
            {
                **_named("discovery.k8s.io/v1", "EndpointSlice", f"{name}-{port}"),
                "metadata": {
                    "name": f"{name}-{port}",
                    "namespace": NAMESPACE,
                    "labels": {"kubernetes.io/service-name": name},
                },
                "addressType": "IPv4",
                "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
                "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            }
            for address, port in endpoints
        ),
    ]


def ingress(name: str, host: str, to: str, annotations: Mapping[str, str], *, tls: bool) -> dict[str, Any]:
    """An Ingress like the stack's, for a host of the tests'."""
    backend = {"service": {"name": to, "port": {"name": "http"}}}
    return {
        **_named("networking.k8s.io/v1", "Ingress", name),
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": dict(annotations)},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
            **({"tls": [{"hosts": [host], "secretName": SECRET}]} if tls else {}),
        },
    }


def _named(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}}


def _addresses() -> list[str]:
    """IPv4 addresses of this machine, where ``ip`` can say them."""
    program = shutil.which("ip") or shutil.which("ip", path="/sbin:/usr/sbin")
    if not program:
        return []
    links = json.loads(subprocess.run([program, "-json", "-4", "address"], capture_output=True, check=True).stdout)
    return [each["local"] for link in links for each in link.get("addr_info", []) if "local" in each]
