"""TLS, WebSockets, time-outs and backends that end: what a connection through the controller goes through."""

import base64
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from modules.platform.vet_application.configuration import DRAIN_SECONDS
from settings import timeouts
from tests.pods.ingress.backend import Backend, backend
from tests.pods.ingress.conftest import Hosts, Saw, until
from tests.pods.ingress.entrance import (
    NAMESPACE,
    Entrance,
    anybody,
    ask_on,
    ingress,
    service,
    tls_secret,
)
from tests.pods.ingress.test_headers import balancer

UNSAID = 60
"""Seconds that a controller waits for an answer where an Ingress says nothing (ingress-nginx: ConfigMap, proxy-read-timeout; Traefik's
provider for nginx's annotations has the same)."""

LATE = 75
"""Seconds after which what has no longer time-out than by default is gone: nginx's keep-alive towards visitors is 75."""

SLACK = 4
"""Seconds that a busy machine adds to a time-out."""

VISITORS = Path(__file__).parents[1] / "visitors.py"

A_SECOND = 50
"""Requests of a busy clinic's day, many times over."""

OFFICE = {"X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(entrance: Entrance, application: Backend, hosts: Hosts, version: ssl.TLSVersion) -> None:
    with pytest.raises(OSError):
        entrance.connect(hosts.application, context=anybody(version))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_the_load_balancer_speaks_is_taken(
    entrance: Entrance, application: Backend, hosts: Hosts, version: ssl.TLSVersion, saw: Saw
) -> None:
    with entrance.connect(hosts.application, context=anybody(version)) as connection:
        assert isinstance(connection, ssl.SSLSocket)
        saw(
            "ssl-protocols",
            "not set",
            f"{connection.version()} with {(connection.cipher() or ('?',))[0]}; 1.0 and 1.1 are refused",
        )
        assert ask_on(connection, hosts.application).status == 200


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-RSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA"])
def test_a_cipher_without_forward_secrecy_or_authentication_is_refused(
    entrance: Entrance, application: Backend, hosts: Hosts, cipher: str
) -> None:
    with pytest.raises(OSError):
        entrance.connect(hosts.application, context=anybody(ssl.TLSVersion.TLSv1_2, f"{cipher}:@SECLEVEL=0"))


def test_a_renewed_certificate_is_given_without_a_lost_connection(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    def given() -> bytes:
        with entrance.connect(hosts.application) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            return connection.getpeercert(binary_form=True) or b""

    before = given()
    with entrance.connect(hosts.application) as kept:
        assert ask_on(kept, hosts.application).status == 200
        entrance.apply(tls_secret(hosts.application))
        began = time.monotonic()
        assert until(lambda: given() != before), "the old certificate is still there after a minute"
        saw("Ingress: tls", "renewed", f"the new one after {time.monotonic() - began:.1f} s; connections stay")
        assert ask_on(kept, hosts.application).status == 200


@dataclass
class WebSocket:
    """A visitor's end of a WebSocket, as far as its handshake."""

    connection: socket.socket
    status: int
    accepted: str = field(default="")

    @classmethod
    def open(cls, connection: socket.socket, host: str, headers: Mapping[str, str] | None = None) -> "WebSocket":
        """Ask for one."""
        key = base64.b64encode(os.urandom(16)).decode()
        request = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key}
        request |= {"Sec-WebSocket-Version": "13", **(headers or {})}
        lines = ["GET /websocket HTTP/1.1", *(f"{name}: {value}" for name, value in request.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        head = b""
        while b"\r\n\r\n" not in head and (more := connection.recv(1)):
            head += more
        first, *rest = head.decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        return cls(connection, int(first.split()[1]), fields.get("sec-websocket-accept", ""))

    def echoes(self) -> bool:
        """Whether what is sent comes back."""
        with suppress(OSError):
            self.connection.sendall(b"\x81\x02hi")
            return self.connection.recv(16) == b"\x81\x02hi"
        return False

    def seconds_until_closed(self, most: float) -> float | None:
        """How long it takes until the other end closes it; None if it does not."""
        began = time.monotonic()
        self.connection.settimeout(most)
        try:
            assert not self.connection.recv(16)
        except TimeoutError:
            return None
        except OSError:
            pass
        return time.monotonic() - began


def test_a_websocket_opens_and_carries_both_ways(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    for host, headers, source in ((hosts.application, {}, None), (hosts.operators, OFFICE, balancer(entrance))):
        with entrance.connect(host, source=source) as connection:
            websocket = WebSocket.open(connection, host, headers)
            assert websocket.status == 101, f"{host}: {websocket.status}"
            assert websocket.accepted, "the backend's answer to the key is lost"
            assert websocket.echoes()
    saw("WebSocket", "Upgrade", "101, and both ends are heard (Rancher's shells and logs, kubectl through it)")


@dataclass
class Waited:
    """What became of connections on which nothing happened, all at the same time."""

    kept: int = 0
    read: tuple[int, float, int] = (0, 0, 0)
    read_again: tuple[int, float, int] = (0, 0, 0)
    quiet: float | None = None
    quiet_at_rancher: float | None = None
    upstream: list[float] = field(default_factory=list)


@pytest.fixture(scope="module")
def waited(entrance: Entrance, application: Backend, hosts: Hosts) -> Waited:
    """Wait once for everything that takes a minute or more."""
    results = Waited()

    def keep() -> None:
        with entrance.connect(hosts.application) as connection:
            ask_on(connection, hosts.application)
            time.sleep(LATE + SLACK)
            results.kept = ask_on(connection, hosts.application, "/kept").status

    def read(method: str, path: str) -> tuple[int, float, int]:
        began = time.monotonic()
        answer = entrance.ask(
            hosts.application, f"{path}?seconds=300", method=method, body=b"" if method == "POST" else None
        )
        return answer.status, time.monotonic() - began, application.count(path)

    def idle() -> None:
        time.sleep(
            SLACK
        )  # by then every other request is under way, and none takes the connection that this one leaves
        entrance.ask(hosts.application, "/idle")

    def quiet(host: str, headers: Mapping[str, str], source: str | None) -> float | None:
        with entrance.connect(host, source=source) as connection:
            return WebSocket.open(connection, host, headers).seconds_until_closed(LATE + SLACK)

    def each(name: str, what: Callable[[], object]) -> threading.Thread:
        return threading.Thread(target=lambda: setattr(results, name, what()) if name else what())

    del application.idle[:]
    threads = [
        each("", keep),
        each("", idle),
        each("read", lambda: read("POST", "/slow")),
        each("read_again", lambda: read("GET", "/slow/again")),
        each("quiet", lambda: quiet(hosts.application, {}, None)),
        each("quiet_at_rancher", lambda: quiet(hosts.operators, OFFICE, entrance.balancer)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.upstream = list(application.idle)
    return results


@pytest.mark.long
def test_a_connection_that_idles_outlasts_the_load_balancer_s(waited: Waited, saw: Saw) -> None:
    saw(
        "keep-alive",
        timeouts.INGRESS_TO_CLIENT,
        f"a connection that idled {LATE + SLACK} s still serves ({waited.kept})",
    )
    assert waited.kept == 200, "closed, while the load balancer may send the next request on it"


def test_keep_alive_is_what_closes_a_connection_that_idles(
    entrance: Entrance, application: Backend, hosts: Hosts, config: Callable[[Mapping[str, str]], None], saw: Saw
) -> None:
    config({"keep-alive": "3"})

    def closed() -> bool:
        with entrance.connect(hosts.application) as connection:
            ask_on(connection, hosts.application)
            connection.settimeout(8)
            began = time.monotonic()
            with suppress(TimeoutError):
                return connection.recv(1) == b"" and time.monotonic() - began < 3 + SLACK
        return False

    assert until(closed, 60), "a connection that idles for three seconds stays, whatever keep-alive says"
    saw("keep-alive", 3, "closed after 3 s: the key is what does it")


KEPT = {"nginx": timeouts.INGRESS_TO_APPLICATION, "traefik": timeouts.TRAEFIK_TO_APPLICATION}
"""Seconds that a connection to the application idles before the controller closes it."""


@pytest.mark.long
def test_the_controller_closes_idle_connections_to_the_application_before_the_application_does(
    waited: Waited, controller: str, saw: Saw
) -> None:
    longest = max(waited.upstream, default=0)
    saw(
        "upstream-keepalive-timeout",
        KEPT[controller],
        f"closed after {longest:.0f} s; gunicorn keeps them {timeouts.APPLICATION} s",
    )
    assert KEPT[controller] - 1 <= longest <= KEPT[controller] + SLACK, waited.upstream
    assert longest < timeouts.APPLICATION


@pytest.mark.long
def test_an_application_that_does_not_answer_is_given_up_after_a_minute(
    waited: Waited, controller: str, saw: Saw
) -> None:
    """Traefik's minute begins when the connection to the application was last used, so it may be shorter by as long as it keeps one."""
    status, seconds, asked = waited.read
    saw(
        "proxy-read-timeout",
        "not set: 60",
        f"{status} after {seconds:.0f} s for a POST, which the application got {asked} time(s)",
    )
    assert status == 504
    least = UNSAID - 1 if controller == "nginx" else UNSAID - 1 - KEPT[controller]
    assert least <= seconds <= UNSAID + SLACK
    assert asked == 1, "what changes something is not sent twice"


TRIES = {"nginx": 1, "traefik": 3}
"""How often a page that hangs is asked for. Go's client asks again by itself when a connection that it had kept ends without an answer, and
Traefik keeps two of each pod (net/http: ``DefaultMaxIdleConnsPerHost``); nothing that it is told changes that."""


@pytest.mark.long
def test_a_page_that_hangs_is_asked_for_once(waited: Waited, controller: str, saw: Saw) -> None:
    """Or an application that is slow gets three times as many requests, and a visitor waits for three minutes."""
    status, seconds, asked = waited.read_again
    saw(
        "proxy-next-upstream-timeout",
        15,
        f"{status} after {seconds:.0f} s for a GET, which the application got {asked} time(s)",
    )
    assert status == 504
    assert asked <= TRIES[controller]
    assert seconds <= TRIES[controller] * (UNSAID + SLACK)


@pytest.mark.long
def test_a_websocket_of_rancher_s_stays_open_when_nobody_types(waited: Waited, saw: Saw) -> None:
    saw(
        "proxy-read-timeout",
        "Rancher's: 1800",
        f"a quiet WebSocket was {'open' if waited.quiet_at_rancher is None else 'closed'} after {LATE + SLACK} s",
    )
    assert waited.quiet_at_rancher is None
    assert (waited.quiet or LATE) <= UNSAID + SLACK, "without the annotations it would end after a minute"


SNIPPETS = {
    "configuration-snippet": 'more_set_headers "X-Snippet: yes";',
    "server-snippet": 'more_set_headers "X-Snippet: yes";',
    "auth-snippet": 'more_set_headers "X-Snippet: yes";',
    "proxy-body-size": '1m; more_set_headers "X-Snippet: yes"',
}
"""Annotations by which somebody who may write an Ingress would write the controller's configuration."""


@pytest.mark.parametrize("annotation", SNIPPETS)
def test_nobody_writes_the_controller_s_configuration_by_an_annotation(
    entrance: Entrance, application: Backend, hosts: Hosts, annotation: str, saw: Saw
) -> None:
    host = f"{annotation}.{hosts.application}"
    wanted = {f"nginx.ingress.kubernetes.io/{annotation}": SNIPPETS[annotation]}
    if refusal := entrance.refusal(ingress("snippet", host, "application", wanted, tls=False)):
        saw(annotation, "refused", refusal.splitlines()[-1].partition("denied the request: ")[2] or refusal[-90:])
        assert "denied the request" in refusal, refusal
        return
    try:
        taken = until(lambda: entrance.ask(host).status == 200, 10)
        assert "x-snippet" not in entrance.ask(host).headers
        what = "the Ingress is taken, its annotation does nothing" if taken else "nobody answers for the Ingress"
        saw(annotation, "ignored", what)
    finally:
        entrance.kubernetes.run("delete", "ingress", "--namespace", NAMESPACE, "snippet")


@contextmanager
def two(entrance: Entrance, name: str, hosts: Hosts) -> Iterator[tuple[str, Backend, Backend]]:
    """A host with two backends, each with an address of its own as pods have: Traefik takes one endpoint an address, whatever its port."""
    host = f"{name}.{hosts.application}"
    with backend(entrance.here) as one, backend(balancer(entrance)) as other:
        ends = [(each.address, each.port) for each in (one, other)]
        entrance.apply(*service(name, *ends), ingress(name, host, name, {}, tls=False))

        def both() -> bool:
            entrance.ask(host, "/first")
            return bool(one.asked and other.asked)

        assert until(both), "a backend gets no requests"
        yield host, one, other


def test_a_request_goes_to_another_pod_when_one_is_gone(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    """Between a pod's end and the controller's knowing of it."""
    with two(entrance, "ends", hosts) as (host, one, _):
        one.end()
        statuses = [entrance.ask(host, "/", method=method).status for method in ("GET", "POST") * 20]
    saw(
        "proxy-next-upstream",
        "not set: error timeout",
        f"{statuses.count(200)} of {len(statuses)} requests answered with one of two backends gone",
    )
    assert set(statuses) == {200}


def test_what_changes_something_is_not_sent_twice(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    """A backend that took a request and closed the connection may have done what was asked."""
    with two(entrance, "closes", hosts) as (host, one, other):
        get, post = (
            entrance.ask(host, path, method=method).status
            for method, path in (("GET", "/closes"), ("POST", "/closes/post"))
        )
        times = [sum(each.count(path) for each in (one, other)) for path in ("/closes", "/closes/post")]
    saw(
        "proxy-next-upstream",
        "GET, POST",
        f"a backend that closes: {get} after {times[0]} tries for GET, {post} after {times[1]} for POST",
    )
    assert times[1] == 1
    assert post == 502


@contextmanager
def visited(entrance: Entrance, host: str, seconds: int) -> Iterator[dict[str, Any]]:
    """Ten visitors who ask fifty times a second, each on a kept connection, and what they saw."""
    words = (str(seconds), host, entrance.address, "/visited", "10", str(10 / A_SECOND))
    with subprocess.Popen([sys.executable, str(VISITORS), *words], stdout=subprocess.PIPE, text=True) as process:
        seen: dict[str, Any] = {}
        yield seen
        out, _ = process.communicate()
    assert process.returncode == 0, "the visitors failed"
    seen.update(json.loads(out))


@pytest.mark.long
@pytest.mark.parametrize("late", [0, DRAIN_SECONDS - 2], ids=["at once", "late"])
def test_pods_that_end_as_the_application_s_do_lose_no_request(
    entrance: Entrance, application: Backend, hosts: Hosts, late: int, saw: Saw
) -> None:
    """SIGTERM, and the pod leaves the EndpointSlice then or later; it serves on, each answer closes its connection, and it ends."""
    name = f"drains-{late}"
    with two(entrance, name, hosts) as (host, one, other), visited(entrance, host, DRAIN_SECONDS + 10) as seen:
        time.sleep(3)
        one.draining = True
        time.sleep(late)
        entrance.kubernetes.run("delete", "endpointslice", "--namespace", NAMESPACE, f"{name}-{one.port}")
        time.sleep(DRAIN_SECONDS - late)
        before = len(one.asked)
        one.end()
        asked = len(other.asked)
    saw(
        "DRAIN_SECONDS",
        f"{DRAIN_SECONDS}, known after {late} s",
        f"{sum(seen['answers'].values())} requests at {A_SECOND} a second: {len(seen['failed'])} failed, the longest took {seen['longest']} s",
    )
    assert before > 10, "the pod that ends was asked for nothing: nothing was seen"
    assert asked > before, "the other pod was not asked for more"
    assert sum(seen["answers"].values()) > A_SECOND * DRAIN_SECONDS / 2, f"too few requests: {seen}"
    assert not seen["failed"], seen


def test_a_host_whose_pods_are_all_gone_says_so(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    with two(entrance, "gone", hosts) as (host, _, __):
        entrance.kubernetes.run(
            "delete", "endpointslices", "--namespace", NAMESPACE, "--selector=kubernetes.io/service-name=gone"
        )
        gone = until(lambda: entrance.ask(host).status == 503)
    saw("no endpoint", "503", "503 once the last pod is out of the EndpointSlice" if gone else "no 503")
    assert gone


@pytest.mark.long
def test_the_ingress_says_where_it_is_reached(entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw) -> None:
    path = "{.status.loadBalancer.ingress[0].hostname}"

    def status() -> str:
        words = ("get", "ingress", "--namespace", NAMESPACE, "application", f"--output=jsonpath={path}")
        return entrance.kubernetes.run(*words)

    assert until(lambda: bool(status()), 90), "the Ingress has no address after a minute and a half"
    saw("publish-status-address", "the load balancer", f"status of the Ingress: {status()}")
