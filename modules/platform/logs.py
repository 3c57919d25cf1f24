"""Logs of pods: Fluent Bit on each node, which sends them to CloudWatch Logs (``services.logs``)."""

from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.namespaces import Namespaces
from modules.platform.network_policies import HTTPS, Policy, addresses, dns, network_policies, tcp
from modules.platform.release import Release
from modules.platform.vet_application.object_context import ObjectContext
from settings.helm_values import web_identity
from settings.names import Names
from settings.namespaces import LOGGING

FILES = "/var/log/containers/*_{namespace}_*.log"
"""Where the kubelet has the logs of a namespace's pods."""

POLICIES = {"fluent-bit": Policy({}, send=[dns(), ([addresses("0.0.0.0/0")], tcp(HTTPS))])}
"""It asks CloudWatch and STS, whose addresses are AWS's to change, and nobody asks it but the kubelet."""


class Logs(Construct):
    """Fluent Bit, and what it may reach. It asks the Kubernetes API nothing: a log's file has the pod in its name."""

    def __init__(
        self, scope: Construct, id_: str, *, names: Names, infrastructure: InfrastructureOutputs, namespaces: Namespaces
    ) -> None:
        super().__init__(scope, id_)
        environment = names.environment
        context = ObjectContext(LOGGING, namespaces.ready(LOGGING))
        closed = network_policies(self, POLICIES, context, {"app.kubernetes.io/part-of": "logs"})
        identity = web_identity(infrastructure.get("pod_role_arns.logs"), environment.region)
        # Its own as well: a fault in sending would be a line to send.
        left_out = [FILES.format(namespace=name) for name in (LOGGING, *environment.services.logs.left_out)]
        variables = {"LOG_GROUP": infrastructure.get("pods_log_group"), "LEFT_OUT": ",".join(left_out)}
        Release(
            self,
            "fluent_bit",
            environment=environment,
            release="fluent-bit",
            namespace=LOGGING,
            derived={"env": [*identity, *({"name": name, "value": value} for name, value in variables.items())]},
            depends_on=[*context.depends_on, *closed],
        )
