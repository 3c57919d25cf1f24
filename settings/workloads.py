"""What runs on the cluster: Rancher and the veterinary application."""

from typing import Annotated

from pydantic import Field

from settings.base import Cpu, Memory, Section


class Rancher(Section):
    """Rancher management platform."""

    replicas: Annotated[int, Field(ge=1, le=9)]
    """Pods of Rancher."""


class Resources(Section):
    """CPU and memory of one container."""

    cpu: Cpu
    """CPU, such as 100m."""

    memory: Memory
    """Memory, such as 128Mi."""


class Application(Section):
    """The veterinary application (architecture: Application Layer)."""

    namespace: Annotated[
        str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63, examples=["vet-app"])
    ] = "vet-app"
    """Kubernetes namespace."""

    replicas: Annotated[int, Field(ge=1, le=50)] = 2
    """Pods of the web application."""

    service_port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Port of the Service."""

    container_port: Annotated[int, Field(ge=1024, le=65535)] = 8000
    """Port of the container; not a privileged one, since it does not run as root."""

    requests: Resources = Resources(cpu="100m", memory="128Mi")
    """What the scheduler reserves for a pod."""

    limits: Resources = Resources(cpu="200m", memory="256Mi")
    """What a pod may use at most."""

    volume: Memory = "5Gi"
    """Size of the database's volume."""

    database_instances: Annotated[int, Field(ge=1, le=5)]
    """PostgreSQL instances; more than one gives automatic failover."""
