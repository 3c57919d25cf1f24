"""Monitoring: Prometheus, Alertmanager and Grafana, and what they ask, warn of and show (``services.monitoring``)."""

from collections.abc import Sequence
from typing import Any

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.monitoring_policies import policies
from modules.platform.namespaces import Namespaces
from modules.platform.network_policies import network_policies
from modules.platform.rancher import allowed_networks
from modules.platform.release import Release
from modules.platform.vet_application.object_context import ObjectContext
from settings.monitoring_values import stack_values
from settings.names import Names
from settings.namespaces import MONITORING

TIMEOUT = 900
"""Seconds. Its images are large, and each node gets a pod."""


class Monitoring(Construct):
    """The kinds of the operator, then the operator with what it runs, then the objects of those kinds; gone in the opposite order.

    Releases are called as their charts: Rancher's pages know the monitoring that is called ``rancher-monitoring``, and another chart is
    another release, which begins with nothing.

    :param depends_on: storage, certificates and ingress.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        namespaces: Namespaces,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        self._environment = environment = names.environment
        context = ObjectContext(MONITORING, namespaces.ready(MONITORING))
        closed = network_policies(self, policies(environment), context, {"app.kubernetes.io/part-of": "monitoring"})
        charts = {kind: environment.cluster.releases[kind].chart.name for kind in ("monitoring", "monitoring-crds")}
        kinds = self._release("kinds", charts["monitoring-crds"], context.depends_on, like="monitoring-crds")
        password = self._release("password", "grafana-password", context.depends_on, chart="vet-app-secret")
        needed = [*depends_on, *closed, kinds, password]
        derived = stack_values(environment)
        stack = self._release(
            "stack", charts["monitoring"], needed, like="monitoring", derived=derived, timeout=TIMEOUT
        )
        self._release("objects", "clinic-monitoring", [stack], derived=self._objects(names))

    def _release(
        self, id_: str, release: str, depends_on: Sequence[ITerraformDependable], **more: Any
    ) -> ITerraformDependable:
        environment = self._environment
        construct = Release(
            self, id_, environment=environment, release=release, namespace=MONITORING, depends_on=depends_on, **more
        )
        return construct.release

    @staticmethod
    def _objects(names: Names) -> dict[str, Any]:
        environment, alerts = names.environment, names.environment.services.monitoring.alerts
        smtp = {**alerts.smtp.model_dump(), "username": alerts.smtp.username or ""} if alerts.smtp else {}
        return {
            "applicationNamespace": environment.application.namespace,
            "runbooks": names.runbooks,
            "host": environment.hosts.grafana or "",
            "certificateIssuer": environment.application.certificate_issuer,
            "allowedNetworks": allowed_networks(environment),
            "alerts": {"emails": alerts.emails or [names.project.email], "smtp": smtp, "webhook": alerts.webhook},
        }
