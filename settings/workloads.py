"""What runs on the cluster: Rancher and the veterinary application."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from settings.base import Cidr, Cpu, Memory, Section


def _known_zone(name: str) -> str:
    """The name of a place (or UTC) in the time zone database: ``localtime`` is another on each machine, ``right/`` counts leap seconds."""
    place = name == "UTC" or ("/" in name and not name.startswith(("right/", "posix/")))
    try:
        ZoneInfo(name if place else "")
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ValueError(
            f"must be a place in the IANA time zone database, such as Europe/Berlin; {name} is none"
        ) from problem
    return name


TimeZone = Annotated[str, Field(examples=["Europe/Berlin"]), AfterValidator(_known_zone)]
"""A name of the IANA time zone database."""

Image = Annotated[
    str,
    Field(pattern=r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64})$", examples=["3f2a9c1d0b4e"]),
]
"""An image in the environment's repository: its tag, or its digest (OCI distribution specification: pulling
manifests)."""


MailAddress = Annotated[
    str, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+$", examples=["hello@clinic.example"])
]
"""An e-mail address."""


class RancherSettings(Section):
    """Rancher management platform."""

    replicas: Annotated[int, Field(ge=1, le=9)]
    """Pods of Rancher."""


class Resources(Section):
    """CPU and memory of one container."""

    cpu: Cpu
    """CPU, such as 100m."""

    memory: Memory
    """Memory, such as 128Mi."""


class Clinic(Section):
    """What the application prints and how it counts time: one clinic is one environment."""

    WORDS = frozenset({"name", "address", "phone"})

    name: Annotated[str, Field(min_length=1, max_length=100)] = "Willow Lane Veterinary Clinic"
    """Name on pages, certificates and letters."""

    address: Annotated[str, Field(min_length=1, max_length=200)] = "12 Willow Lane, Exampleton"
    """Postal address."""

    phone: Annotated[str, Field(min_length=1, max_length=40)] = "555-0100"
    """Telephone number."""

    time_zone: TimeZone = "UTC"
    """Where the clinic's clock is."""

    language: Literal["en", "en-us", "en-gb", "de", "fr"] = "en"
    """Language of pages and papers, with a country's dates and clock, until the manager chooses one in the application. ``en`` is ``en-us``
    in the USA, and ``en-gb`` in countries that write the day before the month."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["DE"])] | None = None
    """What papers say, how addresses are written, and whose telephone numbers have no country code (ISO 3166); that of the time zone where it
    is left out, and ``US`` in ``UTC``."""

    units: Literal["metric", "us"] | None = None
    """Kilograms and Celsius, or pounds and Fahrenheit, until the manager chooses; by the country where it is left out."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"])] = "USD"
    """Currency of prices (ISO 4217)."""

    opening_hours: Annotated[
        str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00-18:00"])
    ] = "08:00-18:00"
    """When the calendar's day begins and ends."""

    slot_minutes: Annotated[int, Field(ge=5, le=120)] = 15
    """Minutes of one row of the calendar."""


class Autoscaling(Section):
    """More pods under load, by a HorizontalPodAutoscaler."""

    max_replicas: Annotated[int, Field(ge=2, le=50)]
    """Highest number of pods; the lowest is ``replicas``."""

    target_cpu_percent: Annotated[int, Field(ge=10, le=200)] = 80
    """CPU use at which pods are added, in percent of what a pod requests."""


class Application(Section):
    """The veterinary application (architecture: Application Layer)."""

    namespace: Annotated[
        str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63, examples=["vet-app"])
    ] = "vet-app"
    """Kubernetes namespace of the application and its database."""

    replicas: Annotated[int, Field(ge=1, le=50)] = 2
    """Pods of the web application."""

    service_port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Port of the application's Service."""

    container_port: Annotated[int, Field(ge=1024, le=65535)] = 8000
    """Port of the application's container; not a privileged one, since it does not run as root."""

    requests: Resources = Resources(cpu="100m", memory="128Mi")
    """What the scheduler reserves for a pod."""

    limits: Resources = Resources(cpu="200m", memory="256Mi")
    """What a pod may use at most."""

    volume: Memory = "5Gi"
    """Size of the database's volume."""

    database_instances: Annotated[int, Field(ge=1, le=5)]
    """PostgreSQL instances; more than one gives automatic failover."""

    image: Image | None = None
    """What runs: tag or digest of an image in the environment's repository; ``make push`` makes one and prints what to
    write here. Left out, the plan of the Helm stack stops and says so."""

    python_version: Literal["3.9", "3.12"] = "3.9"
    """Python of the images that ``make push`` builds."""

    autoscaling: Autoscaling | None = None
    """More pods under load; left out, there are always ``replicas``."""

    certificate_issuer: Literal["letsencrypt-production", "letsencrypt-staging"] = "letsencrypt-production"
    """Which of the cluster's issuers signs the certificate behind the load balancer."""

    clinic: Clinic = Clinic()
    """The clinic."""

    email_reminders: bool = False
    """Whether reminders are sent by e-mail. Needs the Secret ``vet-app-email`` in the namespace with the key ``EMAIL_URL``; without it they
    are listed and printed."""

    email_from: MailAddress | None = None
    """Sender of reminders; ``noreply@`` the application's host where it is left out. Amazon SES refuses a sender whose
    address or domain it has not verified."""

    email_reply_to: MailAddress | None = None
    """Where owners' answers go; to the sender where it is left out."""

    email_relay: Cidr | None = None
    """Addresses of a mail server inside the VPC; left out, pods reach only mail servers outside of it."""

    attachments_in_s3: bool = False
    """Whether new files of patients are kept in a bucket of S3 instead of the database; those that are in the database stay there. Turned off, an
    unprotected environment loses the bucket with its files, and a protected one cannot read them until it is on again."""

    attachments_quota_mb: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """What all files of patients may come to, in MB; 2048 where it is left out. In the database they take room in its ``volume``."""

    hsts_seconds: Annotated[int, Field(ge=0, le=63_072_000)] = 86_400
    """How long browsers remember to come by https alone (RFC 6797). Raise it only for a host that will stay https."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level of the log lines that the application writes."""

    @property
    def most_replicas(self) -> int:
        """The most pods that there can be, a rollout's additional one not counted."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas
