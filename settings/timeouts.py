"""How long connections that nobody uses are kept, along the way of a request: each hop nearer to the application keeps them longer.

Were it the other way round, the inner side would now and then close a connection on which the outer side is just sending the next
request, which ends as a 502 (AWS: troubleshoot your Application Load Balancers, HTTP 502; kubernetes/ingress-nginx#3046).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from settings.load_balancer import LoadBalancer

MARGIN = 15
"""Seconds by which the inner side outlasts the outer one: a request that is under way arrives."""

LONGEST_LOAD_BALANCER = max(
    bound.le for bound in LoadBalancer.model_fields["idle_timeout_seconds"].metadata if hasattr(bound, "le")
)
"""The most that ``load_balancer.idle_timeout_seconds`` may be."""

INGRESS_TO_CLIENT = LONGEST_LOAD_BALANCER + MARGIN
"""``keepalive_timeout`` of nginx. It follows the most that the load balancer may be set to, not what it is set to: the two are in different
stacks, and between two deploys the rule would not hold."""

APPLICATION = 75
"""``keepalive`` of gunicorn (``vet_app/gunicorn.conf.py``)."""

INGRESS_TO_APPLICATION = APPLICATION - MARGIN
"""``keepalive_timeout`` of nginx towards its upstreams."""

TRAEFIK_TO_APPLICATION = MARGIN
"""The same of Traefik. The minute that it gives an answer begins when the connection was last used (its ``pkg/server/service/transport.go``,
``connWithTimeouts``): a page on a connection that idled for 59 seconds would have one."""

APPLICATION_TO_DATABASE = 300
"""``CONN_MAX_AGE`` of Django (``vet_app/vetclinic/databases.py``)."""

NEVER = inf
"""Of Rancher, whose server has no time-out of a connection (rancher/dynamiclistener server/server.go; net/http: Server.IdleTimeout)."""

NETWORK_LOAD_BALANCER = 350
"""Idle time-out of the load balancer for the Kubernetes API (AWS: Network Load Balancers, connection idle timeout: TCP, the default)."""

KUBERNETES_CLIENT = 30
"""Seconds between two signs of life of kubectl, kubelet and the Helm provider on a connection (client-go: HTTP/2 read idle timeout)."""

SESSION_MANAGER = 20 * 60
"""Idle time-out of a tunnel (AWS: Session Manager, idle session timeout, the default)."""


Path = tuple[str, ...]
"""Keys of a value, from the environment's file down."""

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds of a unit, as nginx, Go and PostgreSQL write them."""


class UnreadableError(ValueError):
    """A value that is no duration; ``key`` says which."""

    def __init__(self, key: Path, value: object) -> None:
        super().__init__(str(value))
        self.key = key


@dataclass(frozen=True)
class Timeout:
    """How long one side keeps an idle connection."""

    side: str
    seconds: float
    key: Path = ()
    """Where the environment's file may say so; empty, it may not."""

    given: bool = False
    """Whether it does."""

    def __str__(self) -> str:
        return f"{self.side} ({'never' if self.seconds == NEVER else f'{self.seconds:g} s'})"


@dataclass(frozen=True)
class Pair:
    """Two time-outs, of which the first must be the shorter one."""

    shorter: Timeout
    longer: Timeout

    def __str__(self) -> str:
        return f"{self.shorter} before {self.longer}"

    @property
    def holds(self) -> bool:
        """Whether there is the margin between them."""
        return self.shorter.seconds + MARGIN <= self.longer.seconds

    @property
    def remedy(self) -> str:
        """What to write, where the file has said one of them."""
        if self.longer.given:
            return f"set {self.shorter.seconds + MARGIN:g} s or more, or leave it out"
        return f"set {self.longer.seconds - MARGIN:g} s or less, or leave it out"


OTHERS = (
    Pair(
        Timeout("Kubernetes clients' sign of life", KUBERNETES_CLIENT),
        Timeout("the API's load balancer", NETWORK_LOAD_BALANCER),
    ),
    Pair(
        Timeout("Kubernetes clients' sign of life", KUBERNETES_CLIENT),
        Timeout("Session Manager's tunnel", SESSION_MANAGER),
    ),
)
"""Pairs on the way of an operator's tools. All four are others' own, and nothing here sets them."""

_TRAEFIK = ("values", "traefik")
_NGINX = ("values", "ingress-nginx", "controller", "config")
CONTROLLERS: Mapping[str, tuple[tuple[str, Path, float], tuple[str, Path, float]]] = {
    "nginx": (
        ("ingress-nginx", (*_NGINX, "keep-alive"), INGRESS_TO_CLIENT),
        ("ingress-nginx towards its upstreams", (*_NGINX, "upstream-keepalive-timeout"), INGRESS_TO_APPLICATION),
    ),
    "traefik": (
        (
            "Traefik",
            (*_TRAEFIK, "ports", "websecure", "transport", "respondingTimeouts", "idleTimeout"),
            INGRESS_TO_CLIENT,
        ),
        (
            "Traefik towards its upstreams",
            (*_TRAEFIK, "providers", "kubernetesIngressNGINX", "upstreamKeepaliveTimeout"),
            TRAEFIK_TO_APPLICATION,
        ),
    ),
}
"""Of each ingress controller the side of visitors and the side of pods: title, key, and what it is where nobody says otherwise."""

_DATABASE = ("values", "database", "parameters", "idle_session_timeout")
_GRAFANA = ("values", "monitoring", "grafana", "grafana.ini", "server", "read_timeout")


def pairs(load_balancer: LoadBalancer, ingress: str, values: Mapping[str, Any]) -> Iterator[Pair]:
    """Every pair on the way of a clinic's browser to the database, and to what else is behind the ingress controller.

    :param ingress: ``cluster.ingress``.
    :param values: the setting ``values``, which comes over what is said here.

    Raises:
        UnreadableError: a value is no duration.
    """
    front, back = (_given(side, key, default, values) for side, key, default in CONTROLLERS[ingress])
    key = ("load_balancer", "idle_timeout_seconds")
    yield Pair(Timeout("the load balancer", load_balancer.idle_timeout_seconds, key, given=True), front)
    yield Pair(back, Timeout("the application", APPLICATION))
    yield Pair(back, Timeout("Rancher", NEVER))
    # Grafana closes an idle connection after its read time-out (grafana/grafana pkg/api/http_server.go; net/http: Server.IdleTimeout); 0 is none.
    yield Pair(back, _or_never(_given("Grafana", _GRAFANA, NEVER, values)))
    # PostgreSQL ends an idle session after it; 0 is never (PostgreSQL: client connection defaults). A bare number is milliseconds.
    pool = Timeout("the application's connections to the database", APPLICATION_TO_DATABASE)
    yield Pair(pool, _or_never(_given("the database", _DATABASE, NEVER, values, unit="ms")))


def seconds(text: str, unit: str = "s") -> float | None:
    """A duration such as ``75``, ``1m30s`` or ``5min``; ``None`` where it is none.

    :param unit: of a number without one.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text) * UNITS[unit]
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|min|s|m|h|d)", text)
    if not parts or re.sub(r"[0-9]+(\.[0-9]+)?\s*(ms|min|s|m|h|d)\s*", "", text):
        return None
    return sum(float(number) * UNITS[of] for number, of in parts)


def _given(side: str, key: Path, default: float, values: Mapping[str, Any], unit: str = "s") -> Timeout:
    value: Any = {"values": values}
    for part in key:
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return Timeout(side, default, key)
    duration = None if isinstance(value, bool) else seconds(str(value), unit)
    if duration is None:
        raise UnreadableError(key, value)
    return Timeout(side, duration, key, given=True)


def _or_never(timeout: Timeout) -> Timeout:
    return Timeout(timeout.side, timeout.seconds or NEVER, timeout.key, timeout.given)
