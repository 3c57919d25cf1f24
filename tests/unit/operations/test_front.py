"""What stands in for load balancer and ingress controller in make clinic: hosts of an Ingress alone, and what a request says behind it."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from operations.application.smoke import Connection
from operations.devtools.emulator.certificates import Authority
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.front import front, routes

HOST = "vet-app.dev.vet.localhost"


class Behind(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        text = json.dumps({"path": self.path, "body": body, "headers": headers}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The front's port, and the file of the authority that signed for the host; behind a second host nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    authority = Authority(tmp_path)
    hosts = {HOST: server.server_port, "dead.vet.localhost": 1}
    with front(hosts, authority.certificate("clinic", list(hosts))) as port:
        yield port, authority.file
    server.shutdown()
    server.server_close()


def ask(there: tuple[int, Path], host: str, method: str = "GET", body: str | None = None) -> tuple[int, list[str], str]:
    """Status, cookies and text."""
    port, authority = there
    connection = Connection(host, at=("127.0.0.1", port), trust=ssl.create_default_context(cafile=str(authority)))
    headers = {"Host": f"{host}:{port}", "X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "http"}
    connection.request(method, "/pets/?a=b", body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers.get_all("Set-Cookie") or [], answer.read().decode()


def test_a_request_reaches_its_host_and_says_that_it_came_by_https(there: tuple[int, Path]) -> None:
    status, cookies, text = ask(there, HOST, "POST", "name=Mia")
    request = json.loads(text)
    assert (status, cookies) == (201, ["a=1", "b=2"]), "each cookie is a header of its own"
    assert (request["path"], request["body"]) == ("/pets/?a=b", "name=Mia")
    assert request["headers"]["x-forwarded-proto"] == "https"
    assert request["headers"]["x-forwarded-for"] == "127.0.0.1", "what a visitor says of its own address is believed"
    assert request["headers"]["host"].startswith(HOST)


def test_a_host_of_which_nobody_listens_is_told(there: tuple[int, Path]) -> None:
    assert ask(there, "dead.vet.localhost")[0] == 502


def test_a_certificate_is_for_its_hosts_alone(there: tuple[int, Path]) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(there, "elsewhere.vet.localhost")


class OneIngress(Kubernetes):
    """A cluster with one Ingress."""

    def run(self, *_: str) -> str:
        path = {"backend": {"service": {"name": "vet-app"}}}
        rule = {"host": HOST, "http": {"paths": [path]}}
        return json.dumps({"items": [{"metadata": {"namespace": "vet-app"}, "spec": {"rules": [rule]}}]})


def test_hosts_are_those_of_the_cluster_s_ingresses() -> None:
    assert routes(OneIngress("kubectl", Path("kubeconfig"))) == {HOST: "vet-app/vet-app"}
