"""Who may talk to whom in the application's namespace: nobody, except as listed here."""

from constructs import Construct

from modules.platform.network_policies import (
    HTTPS,
    KUBERNETES_API,
    Peer,
    Policy,
    Rule,
    addresses,
    dns,
    ingress_controller,
    network_policies,
    pods,
    servers,
    tcp,
)
from modules.platform.vet_application.configuration import METRICS_PORT
from modules.platform.vet_application.labels import HTTP, PART_OF, SELECTOR, labels
from modules.platform.vet_application.object_context import ObjectContext
from settings.environment import Environment
from settings.namespaces import MONITORING
from settings.web_identity import databases

OPERATOR = "cnpg-system"
"""Where CloudNativePG's operator is."""

POSTGRESQL, INSTANCE_MANAGER, DATABASE_METRICS = 5432, 8000, 9187
"""Ports of a CloudNativePG instance (CloudNativePG: networking, monitoring)."""

SMTP = (465, 587, 2465, 2525, 2587)
"""Ports of mail servers outside (Amazon SES: connecting to an SMTP endpoint; 2525 is other providers' alternative)."""

RELAY = (25, *SMTP)
"""Ports of one inside of the VPC: AWS holds back port 25 to the internet alone."""

LINK_LOCAL = "169.254.0.0/16"
"""The instance metadata service is there: no pod has any business with it."""


def policies(environment: Environment) -> dict[str, Policy]:
    """All policies by name."""
    internet = _internet(environment)
    application_sends: list[Rule] = [
        dns(),
        ([pods(_instances(database.name)) for database in databases(environment)], tcp(POSTGRESQL)),
        *_mail(environment, internet),
        *([_aws(environment, internet)] if environment.application.attachments_in_s3 else []),
    ]
    return {
        "default-deny": Policy({}),
        "vet-app": Policy(PART_OF, send=application_sends),
        "vet-app-web": Policy(
            SELECTOR,
            receive=[
                ([ingress_controller()], tcp(HTTP)),
                ([pods({"app.kubernetes.io/name": "prometheus"}, MONITORING)], tcp(METRICS_PORT)),
            ],
        ),
        **{database.name: _database(database.name, environment, internet) for database in databases(environment)},
    }  # fmt: skip


def _instances(database: str) -> dict[str, str]:
    """Labels of a database's pods and of the jobs that create them (CloudNativePG: labels and annotations)."""
    return {"cnpg.io/cluster": database}


def _mail(environment: Environment, internet: Peer) -> list[Rule]:
    """The mail servers that reminders may go to."""
    application = environment.application
    if not application.email_reminders:
        return []
    relay = [([addresses(str(application.email_relay))], tcp(*RELAY))] if application.email_relay else []
    return [([internet], tcp(*SMTP)), *relay]


def _database(name: str, environment: Environment, internet: Peer) -> Policy:
    """PostgreSQL: clients, replicas and the operator come in; backups go out to S3."""
    replicas = pods(_instances(name))
    operator = pods({"app.kubernetes.io/name": "cloudnative-pg"}, OPERATOR)
    return Policy(
        _instances(name),
        receive=[
            ([pods(PART_OF)], tcp(POSTGRESQL)),
            ([replicas, operator], tcp(POSTGRESQL, INSTANCE_MANAGER)),
            ([pods({"app.kubernetes.io/name": "prometheus"}, MONITORING)], tcp(DATABASE_METRICS)),
        ],
        send=[
            dns(),
            ([replicas], tcp(POSTGRESQL, INSTANCE_MANAGER)),
            (servers(environment), tcp(KUBERNETES_API)),
            _aws(environment, internet),
        ],
    )


def _aws(environment: Environment, internet: Peer) -> Rule:
    """S3 and STS: at their public addresses, and where STS has an endpoint in the private subnets, there (its private name leads to it)."""
    network = environment.network
    inside = (
        [addresses(str(zone.private)) for zone in network.availability_zones.values()]
        if "sts" in network.endpoints
        else []
    )
    return [internet, *inside], tcp(HTTPS)


def _internet(environment: Environment) -> Peer:
    """Everything outside: neither the VPC nor other pods, Services or instance metadata."""
    cluster = environment.cluster
    inside = [str(network) for network in (environment.network.cidr, cluster.pod_cidr, cluster.service_cidr)]
    return {"ip_block": {"cidr": "0.0.0.0/0", "except_": [*inside, LINK_LOCAL]}}


class NetworkPolicies(Construct):
    """All policies of the application's namespace, which holds the database as well."""

    def __init__(self, scope: Construct, id_: str, *, context: ObjectContext, environment: Environment) -> None:
        super().__init__(scope, id_)
        self.policies = network_policies(self, policies(environment), context, labels("network"))
