"""Headers, redirects, sizes and names: one real request a setting, through the controller itself.

What is expected is what ``settings/`` and ``helm-values/`` promise, not what the controller's ConfigMap has.
"""

from collections.abc import Callable, Mapping

import pytest

from modules.platform.ingress import FORGED, hsts
from modules.platform.vet_application.service import LARGEST_BODY
from tests.pods.ingress.backend import OWN_HEADERS, Backend
from tests.pods.ingress.conftest import Hosts, Saw, until
from tests.pods.ingress.entrance import Answer, Entrance

BYTES = int(LARGEST_BODY.removesuffix("m")) * 1024 * 1024

PROXIES = {"nginx": 1, "traefik": 2}
"""``TRUSTED_PROXIES`` of the application: which entry of X-Forwarded-For, from the end, it takes for the visitor."""

SAID = "forged.example.com"
"""What a visitor says of where a request came from."""

OTHERS = (
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Scheme",
    "X-Scheme",
    "X-Original-URI",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Original-Forwarded-For",
    "X-Client-IP",
    "True-Client-IP",
    "X-Cluster-Client-IP",
    "X_Forwarded_Host",
)
"""Further headers of which a program might believe something; of the first four the controller has values of its own."""

OWN = ("x-forwarded-proto", "x-forwarded-port", "x_forwarded_host")
"""Those of them that reach no application."""

NGINX_OWN = ("x-forwarded-scheme", "x-scheme")
"""What nginx sets besides; Traefik does not know them."""

VISITOR = "198.51.100.7"


def balancer(entrance: Entrance) -> str:
    """Where the load balancer would ask from."""
    if entrance.balancer:
        return entrance.balancer
    networks = " or ".join(map(str, entrance.environment.network.balanced))
    pytest.skip(
        f"this machine has no address in {networks}, as the load balancer has: add one (ip address add), or run the tests where one is"
    )


def taken(answer: Answer, controller: str) -> str:
    """The address that the application takes for the visitor's."""
    entries = [each.strip() for value in answer.asked["x-forwarded-for"] for each in value.split(",")]
    return entries[-PROXIES[controller]] if len(entries) >= PROXIES[controller] else ""


def test_browsers_are_told_of_https_for_as_long_as_the_setting_says(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    seconds = entrance.environment.application.hsts_seconds
    header = entrance.ask(hosts.application).headers.get("strict-transport-security")
    saw("application.hsts_seconds", seconds, f"Strict-Transport-Security: {header}")
    assert header == (f"max-age={seconds}" if seconds else None)


@pytest.mark.parametrize("seconds", [0, 4711])
def test_another_hsts_is_what_a_visitor_sees(
    entrance: Entrance,
    application: Backend,
    hosts: Hosts,
    config: Callable[[Mapping[str, str]], None],
    seconds: int,
    saw: Saw,
) -> None:
    config(hsts(seconds))
    wanted = f"max-age={seconds}" if seconds else None

    def header() -> str | None:
        return entrance.ask(hosts.application).headers.get("strict-transport-security")

    assert until(lambda: header() == wanted), f"for {seconds} seconds a visitor sees {header()}"
    saw("application.hsts_seconds", seconds, f"Strict-Transport-Security: {wanted}" if wanted else "no such header")


def test_hsts_is_said_of_every_host_that_is_asked_by_https(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    """Rancher's too, though its Ingress has no certificate: ingress-nginx means to ask whether a host has one, and does not
    (``rootfs/etc/nginx/lua/lua_ingress.lua``, ``header``: it looks at the function, and does not call it)."""
    seconds = entrance.environment.application.hsts_seconds
    headers = {
        host: entrance.ask(host, source=entrance.balancer, headers={"X-Forwarded-For": "203.0.113.9"}).headers.get(
            "strict-transport-security"
        )
        for host in (hosts.application, hosts.operators)
    }
    saw("application.hsts_seconds", "Rancher's host", f"Strict-Transport-Security: {headers[hosts.operators]}")
    assert set(headers.values()) == {f"max-age={seconds}" if seconds else None}, headers


def test_port_80_sends_a_visitor_to_https(entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw) -> None:
    response = entrance.ask(hosts.application, "/pets/7?page=2", port=80)
    saw("ssl-redirect", "true", f"{response.status} from port 80 to {response.headers.get('location')}")
    assert (response.status, response.headers.get("location")) == (308, f"https://{hosts.application}/pets/7?page=2")
    assert application.count("/pets/7") == 0, "the request reached the application in plain text"


@pytest.mark.parametrize(("size", "status"), [(BYTES, 200), (BYTES + 1, 413)])
def test_a_body_is_as_large_as_the_application_takes_and_no_larger(
    entrance: Entrance, application: Backend, hosts: Hosts, size: int, status: int, saw: Saw
) -> None:
    before = application.count("/attachments/")
    response = entrance.ask(hosts.application, "/attachments/", method="POST", body=bytes(size))
    saw("proxy-body-size", LARGEST_BODY, f"{response.status} for {size:,} bytes")
    assert response.status == status
    assert application.count("/attachments/") - before == (1 if status == 200 else 0)


def test_a_host_that_no_ingress_has_is_answered_by_nobody_s_application(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    before = len(application.asked)
    statuses = {host: entrance.ask(host, "/login/").status for host in (hosts.unknown, entrance.address)}
    saw("default backend", "none", f"{statuses[hosts.unknown]} for an unknown host")
    assert set(statuses.values()) == {404}, statuses
    assert len(application.asked) == before


def test_the_load_balancer_s_health_check_is_answered_by_the_controller(
    entrance: Entrance, application: Backend, hosts: Hosts, controller: str, saw: Saw
) -> None:
    path = entrance.environment.load_balancer.health_check.path
    statuses = {host: entrance.ask(host, path).status for host in (entrance.address, hosts.unknown)}
    assert set(statuses.values()) == {200}, statuses
    assert application.count(path) == 0
    entrance.ask(hosts.application, path)
    by = "the application" if application.count(path) else "the controller"
    saw("load_balancer.health_check.path", path, f"200 by address and for an unknown host; by {by} for its own host")
    assert by == {"nginx": "the application", "traefik": "the controller"}[controller]


def test_nobody_learns_which_programs_answer(entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw) -> None:
    answers = {
        "an answer": entrance.ask(hosts.application),
        "an unknown host": entrance.ask(hosts.unknown),
        "a body that is too large": entrance.ask(hosts.application, method="POST", body=bytes(BYTES + 1)),
        "a redirect": entrance.ask(hosts.application, port=80),
    }
    for what, answer in answers.items():
        shown = {name: answer.headers[name.lower()] for name in OWN_HEADERS if name.lower() in answer.headers}
        assert not shown, f"{what} has {shown}"
        assert b"nginx/" not in answer.body, f"{what} names the version: {answer.body[-200:]!r}"
    saw("server-tokens", "false", "no Server header, and no version on the pages of errors")
    saw("hide-headers", "X-Powered-By", "not there, though the application sent it")


def test_nothing_that_a_visitor_says_of_the_way_of_a_request_reaches_an_application(
    entrance: Entrance, application: Backend, hosts: Hosts, controller: str, saw: Saw
) -> None:
    """What the load balancer hands on; it sets X-Forwarded-Proto and -Port itself and drops names with an underscore (``drop_invalid_header_fields``),
    so a visitor's are tried on nginx alone, which believes none."""
    source = balancer(entrance)
    fixed = {} if controller == "nginx" else {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
    headers = {**dict.fromkeys((*FORGED, *OTHERS), SAID), "X-Forwarded-For": f"192.0.2.66, {VISITOR}", **fixed}
    if controller == "traefik":
        del headers["X_Forwarded_Host"]
    got = entrance.ask(hosts.application, headers=headers, source=source).asked
    believed = {name for name in FORGED if SAID in got.get(name.lower(), [])}
    assert not believed, f"the application gets a visitor's {believed}"
    own = OWN + (NGINX_OWN if controller == "nginx" else ())
    assert not [name for name in own if SAID in got.get(name, [])], got
    assert got["host"] == [hosts.application]
    assert got["x-forwarded-proto"] == ["https"]
    assert got["x-forwarded-port"] == ["443"]
    assert got.get("x-forwarded-host", []) in ([hosts.application], []), got["x-forwarded-host"]
    passed = sorted(name for name in OTHERS if SAID in got.get(name.lower(), []))
    saw(
        "proxySetHeaders",
        f"{len(FORGED)} headers",
        f"none of them is a visitor's; handed on, since nothing here reads them: {', '.join(passed)}",
    )


@pytest.mark.parametrize(
    ("behind", "header", "visitor"),
    [
        (True, VISITOR, VISITOR),
        (True, f"203.0.113.9, {VISITOR}", VISITOR),
        (False, VISITOR, "here"),
    ],
    ids=["the load balancer's visitor", "a visitor who lies", "somebody beside the load balancer"],
)
def test_the_application_gets_the_visitor_s_own_address(
    entrance: Entrance,
    application: Backend,
    hosts: Hosts,
    controller: str,
    behind: bool,
    header: str,
    visitor: str,
    saw: Saw,
) -> None:
    source = balancer(entrance) if behind else entrance.here
    response = entrance.ask(hosts.application, headers={"X-Forwarded-For": header}, source=source)
    wanted = source if visitor == "here" else visitor
    if controller == "traefik" and not behind:
        wanted = ""  # one entry only: the application takes the peer, which is the controller
    where = "from the load balancer" if behind else "from elsewhere"
    saw("proxy-real-ip-cidr", where, f"X-Forwarded-For: {header} makes the visitor {taken(response, controller)}")
    assert taken(response, controller) == wanted, response.asked
    if controller == "nginx":
        assert response.asked["x-real-ip"] == [wanted]


@pytest.mark.parametrize("spelling", ["{host}", "{HOST}", "{host}:443", "{host}."])
@pytest.mark.parametrize(
    ("header", "status"),
    [("203.0.113.9", 200), (VISITOR, 403), (f"203.0.113.9, {VISITOR}", 403)],
    ids=["the office", "somebody else", "somebody else who lies"],
)
def test_rancher_is_reached_from_its_networks_alone_however_its_host_is_written(
    entrance: Entrance, application: Backend, hosts: Hosts, header: str, status: int, spelling: str, saw: Saw
) -> None:
    host = spelling.format(host=hosts.operators, HOST=hosts.operators.upper())
    code = entrance.ask(host, headers={"X-Forwarded-For": header}, source=balancer(entrance)).status
    if spelling == "{host}":
        saw("access.rancher.allowed_cidrs", "203.0.113.0/24", f"{code} for X-Forwarded-For: {header}")
    assert code == status


def test_answers_are_as_the_application_wrote_them(
    entrance: Entrance, application: Backend, hosts: Hosts, saw: Saw
) -> None:
    """Nothing compresses pages that have a secret of the session in them."""
    response = entrance.ask(hosts.application, headers={"Accept-Encoding": "gzip, br"})
    saw(
        "use-gzip",
        "not set",
        f"Content-Encoding: {response.headers.get('content-encoding')} for a visitor who takes gzip",
    )
    assert response.headers.get("content-encoding") is None
