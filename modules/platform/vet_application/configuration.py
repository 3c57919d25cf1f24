"""The application's environment variables, the ConfigMap that holds them, and the release that they and the image are.

``vet_app/README.md`` says what each variable means.
"""

import hashlib
import json
from collections.abc import Mapping

from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1
from constructs import Construct

from modules.platform.vet_application.labels import NAME, labels
from modules.platform.vet_application.object_context import ObjectContext
from settings.base import literal
from settings.environment import Environment
from settings.web_identity import DATABASE

PROXIES = {"nginx": 1, "traefik": 2}
"""Addresses at the end of ``X-Forwarded-For`` that the platform puts there, by ingress controller: ingress-nginx puts the visitor's real address
in place of all that came (``enable-real-ip`` in ``helm-values/ingress-nginx.yaml``), Traefik adds the load balancer's to the one that it added."""

METRICS_PORT = 9000
"""Prometheus' own port, which no Service and no Ingress leads to."""

DRAIN_SECONDS = 10
"""How long a pod that was told to end goes on serving, until every proxy has noticed."""

LONGEST_REQUEST_SECONDS = 20
"""What a request that has begun then still gets (``vet_app/vetclinic/draining.py``)."""

SECRETS = "/run/secrets"
"""Where the pod finds what is secret, as files: an environment is shown to every child and in every crash report."""


def variables(environment: Environment) -> dict[str, str]:
    """Everything that the application is told and that is not secret; for a secret, the path of its file."""
    application, clinic = environment.application, environment.application.clinic
    variables = {
        "VET_ENV": "production",
        "PUBLIC_URL": f"https://{environment.hosts.application}",
        "TRUSTED_PROXIES": str(PROXIES[environment.cluster.ingress]),
        "HSTS_SECONDS": str(application.hsts_seconds),
        "LOG_LEVEL": application.log_level,
        "WEB_BIND": f"0.0.0.0:{application.container_port}",
        "METRICS_BIND": f"0.0.0.0:{METRICS_PORT}",
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        "SECRET_KEY_FILE": f"{SECRETS}/application/SECRET_KEY",
        "SECRET_KEY_FALLBACKS_FILE": f"{SECRETS}/application/SECRET_KEY_FALLBACKS",
        "CLINIC_NAME": literal(clinic.name),
        "CLINIC_ADDRESS": literal(clinic.address),
        "CLINIC_PHONE": literal(clinic.phone),
        "TIME_ZONE": clinic.time_zone,
        "LANGUAGE_CODE": clinic.language,
        "CURRENCY": clinic.currency,
        "OPENING_HOURS": clinic.opening_hours,
        "SLOT_MINUTES": str(clinic.slot_minutes),
        **_database(),
    }
    variables |= _chosen(environment)
    if application.email_reminders:
        variables["EMAIL_URL_FILE"] = f"{SECRETS}/email/EMAIL_URL"
    if application.email_from:
        variables["EMAIL_FROM"] = literal(application.email_from)
    if application.email_reply_to:
        variables["EMAIL_REPLY_TO"] = literal(application.email_reply_to)
    return variables


def _chosen(environment: Environment) -> dict[str, str]:
    """What the application decides by itself where the settings leave it out."""
    application, clinic = environment.application, environment.application.clinic
    chosen = {
        "COUNTRY": clinic.country,
        "UNITS": clinic.units,
        "ATTACHMENTS_QUOTA_MB": application.attachments_quota_mb,
    }
    return {name: str(value) for name, value in chosen.items() if value is not None}


def _database() -> dict[str, str]:
    """libpq's variables: the primary, by TLS, checked against the database's own certificate authority."""
    return {
        "PGHOST": f"{DATABASE}-rw",
        "PGPORT": "5432",
        "PGDATABASE": "vet_app",
        "PGUSER_FILE": f"{SECRETS}/database/username",
        "PGPASSWORD_FILE": f"{SECRETS}/database/password",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": f"{SECRETS}/database/ca.crt",
    }


class Configuration(Construct):
    """The ConfigMap, and the name of the release.

    :param image: tag or digest that runs with it.
    :param more: variables that only the infrastructure knows.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        context: ObjectContext,
        image: str,
        more: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        data = {**variables(environment), **more}
        self.checksum = _digest(data)
        self.release = _digest({"image": image, **data})[:10]
        self.config_map = ConfigMapV1(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(NAME, labels("configuration")),
            data=data,
        )


def _digest(data: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
