"""Rules about what runs on the cluster and how the load balancer asks after it."""

from collections.abc import Iterator

from settings.load_balancer import LoadBalancer
from settings.problems import Finding
from settings.quantities import GI, TI, cores, size
from settings.rules.registry import error
from settings.workloads import Application

PLATFORM_NAMESPACES = ("default", "cert-manager", "ingress-nginx", "cnpg-system", "calico-system", "tigera-operator")
PLATFORM_PREFIXES = ("kube-", "cattle-", "fleet-")

DATABASE_CONNECTIONS = 50
"""PostgreSQL's ``max_connections`` in ``helm-values/database.yaml``; a test compares the two."""

OTHER_CONNECTIONS = 10
"""What a migration, a backup, the operator, replicas and two people take."""

THREADS = 4
"""Threads of a pod (``WEB_THREADS``, ``vet_app/gunicorn.conf.py``), each with a connection of its own."""


@error
def limits_cover_requests(application: Application) -> Iterator[Finding]:
    """A container's limits are not below its requests (Kubernetes: resource management for pods and containers)."""
    requests, limits = application.requests, application.limits
    for key, low in (
        ("cpu", cores(limits.cpu) < cores(requests.cpu)),
        ("memory", size(limits.memory) < size(requests.memory)),
    ):
        if low:
            request = getattr(requests, key)
            yield Finding(
                ("application", "limits", key),
                f"must be application.requests.{key} = {request} or more",
                f"set {request} or more",
            )


@error
def namespace_own(application: Application) -> Iterator[Finding]:
    """The application has a namespace of its own: its network policies and quotas would hit the platform's pods."""
    if application.namespace in PLATFORM_NAMESPACES or application.namespace.startswith(PLATFORM_PREFIXES):
        yield Finding(
            ("application", "namespace"), "must not be a namespace of the platform", "choose another, such as vet-app"
        )


@error
def autoscaling_has_room(application: Application) -> Iterator[Finding]:
    """An autoscaler's maximum is above its minimum (Kubernetes API: HorizontalPodAutoscalerSpec)."""
    autoscaling = application.autoscaling
    if autoscaling and autoscaling.max_replicas <= application.replicas:
        yield Finding(
            ("application", "autoscaling", "max_replicas"),
            f"must be more than application.replicas = {application.replicas}, the fewest",
            f"set {application.replicas + 1} or more, or remove application.autoscaling",
        )


@error
def connections_suffice(application: Application) -> Iterator[Finding]:
    """Every thread of every pod keeps a connection, and PostgreSQL has so many (max_connections in
    helm-values/database.yaml; ``DATABASE_CONNECTIONS``)."""
    pods = application.most_replicas
    most = (DATABASE_CONNECTIONS - OTHER_CONNECTIONS) // THREADS - 1
    if pods > most:
        key = ("autoscaling", "max_replicas") if application.autoscaling else ("replicas",)
        yield Finding(
            ("application", *key),
            f"must be {most} or less: each pod keeps {THREADS} of the database's {DATABASE_CONNECTIONS} connections, a "
            f"rollout adds a pod, and {OTHER_CONNECTIONS} are for migrations, backups and people",
            f"set {most} or less",
        )


@error
def opening_hours_open(application: Application) -> Iterator[Finding]:
    """A clinic opens before it closes."""
    opens, closes = application.clinic.opening_hours.split("-")
    if opens >= closes:
        yield Finding(
            ("application", "clinic", "opening_hours"), "must open before it closes", "write such as 08:00-18:00"
        )


@error
def volume_size(application: Application) -> Iterator[Finding]:
    """A gp3 volume has 1 GiB to 16 TiB (Amazon EBS: general purpose SSD volumes)."""
    if not GI <= size(application.volume) <= 16 * TI:
        yield Finding(
            ("application", "volume"),
            "must be 1Gi to 16Ti, the sizes of a gp3 volume",
            "set a size in that range, such as 5Gi",
        )


@error
def health_check_timeout_below_interval(load_balancer: LoadBalancer) -> Iterator[Finding]:
    """A check ends before the next begins (Elastic Load Balancing: health checks for target groups)."""
    check = load_balancer.health_check
    if check.timeout_seconds >= check.interval_seconds:
        rule = f"must be less than load_balancer.health_check.interval_seconds = {check.interval_seconds}"
        yield Finding(
            ("load_balancer", "health_check", "timeout_seconds"), rule, f"set {check.interval_seconds - 1} or less"
        )
