"""How long connections that nobody uses are kept, along the way of a request: each hop nearer to the application keeps them longer.

Were it the other way round, the inner side would now and then close a connection on which the outer side is just sending the next
request, which ends as a 502 (AWS: troubleshoot your Application Load Balancers, HTTP 502; kubernetes/ingress-nginx#3046).
"""

from dataclasses import dataclass

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

NETWORK_LOAD_BALANCER = 350
"""Idle time-out of the load balancer for the Kubernetes API (AWS: Network Load Balancers, connection idle timeout: TCP, the default)."""

KUBERNETES_CLIENT = 30
"""Seconds between two signs of life of kubectl, kubelet and the Helm provider on a connection (client-go: HTTP/2 read idle timeout)."""

SESSION_MANAGER = 20 * 60
"""Idle time-out of a tunnel (AWS: Session Manager, idle session timeout, the default)."""


@dataclass(frozen=True)
class Pair:
    """Two time-outs, of which the first must be the shorter one."""

    shorter: str
    seconds: int
    longer: str
    more: int

    def __str__(self) -> str:
        return f"{self.shorter} ({self.seconds} s) before {self.longer} ({self.more} s)"

    @property
    def holds(self) -> bool:
        """Whether there is the margin between them."""
        return self.seconds + MARGIN <= self.more


def pairs(load_balancer: LoadBalancer) -> list[Pair]:
    """Every pair on the way of a request, of a clinic's browser and of an operator's tools."""
    return [
        Pair("the load balancer", load_balancer.idle_timeout_seconds, "the ingress controller", INGRESS_TO_CLIENT),
        Pair("the ingress controller", INGRESS_TO_APPLICATION, "the application", APPLICATION),
        Pair("Kubernetes clients' sign of life", KUBERNETES_CLIENT, "the API's load balancer", NETWORK_LOAD_BALANCER),
        Pair("Kubernetes clients' sign of life", KUBERNETES_CLIENT, "Session Manager's tunnel", SESSION_MANAGER),
    ]
