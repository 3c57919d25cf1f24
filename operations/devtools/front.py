"""In place of the load balancer and the ingress controller: ends TLS with a certificate of this machine, and leads each host to where the cluster's
Ingress says. Requests keep their Host, and say as the real ones do that they came by HTTPS, and from whom.
"""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from operations.devtools.emulator.kubernetes import Kubernetes

ADDRESS = "127.0.0.1"

OF_ONE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection")
"""Headers that are between two machines and go no further (RFC 9110, 7.6.1)."""


def routes(cluster: Kubernetes) -> dict[str, str]:
    """Host and ``namespace/service`` of every Ingress in the cluster."""
    items = json.loads(cluster.run("get", "ingresses", "--all-namespaces", "--output", "json"))["items"]
    return {
        rule["host"]: f"{item['metadata']['namespace']}/{path['backend']['service']['name']}"
        for item in items
        for rule in item["spec"].get("rules", [])
        for path in rule["http"]["paths"]
    }


@contextmanager
def front(hosts: Mapping[str, int], certificate: tuple[Path, Path], port: int = 0) -> Iterator[int]:
    """Serve the hosts on the loopback address; yields the port.

    :param hosts: port of what serves each host, on the same address.
    :param certificate: files of the certificate and its key.
    :param port: where to listen; 0 for any that is free.

    Raises:
        OSError: something else listens there.
    """
    server = ThreadingHTTPServer((ADDRESS, port), _handler(hosts))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _handler(hosts: Mapping[str, int]) -> type[BaseHTTPRequestHandler]:
    class Forwarding(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            """Ask behind, and hand the answer on."""
            host = self.headers.get("Host", "").partition(":")[0]
            if host not in hosts:
                self.send_error(404, "no Ingress has this host")
                return
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_ONE_CONNECTION}
            headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "https", "Connection": "close"}
            behind = http.client.HTTPConnection(ADDRESS, hosts[host], timeout=60)
            try:
                behind.request(self.command, self.path, self.rfile.read(length) or None, headers)
                answer = behind.getresponse()
                self._hand_on(answer, answer.read())
            except OSError:
                self.send_error(502, "nothing serves this host")
            finally:
                behind.close()

        def _hand_on(self, answer: http.client.HTTPResponse, body: bytes) -> None:
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in (*OF_ONE_CONNECTION, "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the clinic has its own log."""

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Forwarding, f"do_{method}", Forwarding.forward)
    return Forwarding
