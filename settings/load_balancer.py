"""The application load balancer that the internet reaches."""

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Section

NETWORKS_A_RULE = 3
"""Values of one condition, of five a rule, the host's among them (AWS: condition types for listener rules)."""

RULES = 100
"""Rules that a load balancer has before a quota is raised (AWS: quotas for your Application Load Balancers)."""


def most_networks(limited_hosts: int) -> int:
    """How many networks may reach so many hosts: each host has rules of its own, and the application's host has one."""
    return (RULES - 1) // limited_hosts * NETWORKS_A_RULE


class HealthCheck(Section):
    """How the load balancer asks a server whether it can take requests."""

    path: Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=1024, examples=["/ping"])] = "/ping"
    """Path asked over HTTPS. The ingress controller's default server answers it with 200 by address, as it is asked, and for
    each host that no Ingress has."""

    interval_seconds: Annotated[int, Field(ge=5, le=300)] = 15
    """Seconds between two checks."""

    timeout_seconds: Annotated[int, Field(ge=2, le=120)] = 5
    """Seconds until a check without an answer counts as bad; less than the interval."""

    healthy_threshold: Annotated[int, Field(ge=2, le=10)] = 2
    """Good answers in a row that make a target healthy."""

    unhealthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3
    """Bad answers in a row that make a target unhealthy."""


class LoadBalancer(Section):
    """Application load balancer, internet-facing (architecture: Application Load Balancer)."""

    target_port: Literal[443] = 443
    """Port of the ingress controller on the server nodes, HTTPS. Nothing listens on another, and the nodes' security group opens no other."""

    health_check: HealthCheck = HealthCheck()
    """Health check of the target group."""

    tls_policy: Literal["ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06"] = (
        "ELBSecurityPolicy-TLS13-1-2-2021-06"
    )
    """TLS 1.3 with 1.2 for older clients, or 1.3 alone (AWS: security policies for your ALB)."""

    idle_timeout_seconds: Annotated[int, Field(ge=60, le=4000)] = 1800
    """Rancher keeps web sockets open; at AWS's default of 60 s shells and logs break off."""

    access_logs: bool
    """Keep access logs in S3."""

    access_logs_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days until access logs are deleted."""
