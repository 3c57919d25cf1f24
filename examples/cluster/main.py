"""A cluster with Rancher in a project of its own: ``python main.py`` writes its two stacks to cdktf.out/."""

from cdktf import App
from constructs import Construct
from lab import SETTINGS
from vet_platform.modules.aws.agents import Agents
from vet_platform.modules.aws.foundation import Foundation
from vet_platform.modules.aws.ready_gate import ReadyGate
from vet_platform.modules.aws.servers import Servers
from vet_platform.modules.platform.cluster import Cluster
from vet_platform.modules.platform.infrastructure_outputs import InfrastructureOutputs
from vet_platform.modules.platform.namespaces import Namespaces
from vet_platform.modules.platform.rancher import Rancher
from vet_platform.settings.names import Names
from vet_platform.stacks.base import PlatformStack


class Machines(PlatformStack):
    """Network, servers and agents."""

    def __init__(self, scope: Construct, name: str, *, names: Names) -> None:
        super().__init__(scope, name, project=names.project, region=names.environment.region, tags=names.tags)
        foundation = Foundation(self, names=names)
        servers = Servers(self, "servers", context=foundation.context, role=foundation.server_role)
        Agents(self, "agents", context=foundation.context, role=foundation.agent_role)
        foundation.api.register_targets(servers)
        ReadyGate(self, "ready", name=names.resource("ready"), server=servers.first)
        for output, (value, description) in foundation.outputs().items():
            self.output(output, value, description)


class Management(PlatformStack):
    """Rancher; without a load balancer it is reached by ``kubectl -n cattle-system port-forward service/rancher 8443:443``."""

    def __init__(self, scope: Construct, name: str, *, names: Names, machines: str) -> None:
        super().__init__(scope, name, project=names.project, region=names.environment.region, tags=names.tags)
        Cluster(
            self,
            "cluster",
            names=names,
            infrastructure=InfrastructureOutputs(self, "upstream", project=names.project, stack=machines),
        )
        namespaces = Namespaces(self, "namespaces", environment=names.environment)
        Rancher(self, "rancher", environment=names.environment, namespaces=namespaces, depends_on=[])


app = App()
lab = Names(SETTINGS.project, SETTINGS.environment("lab"))
Machines(app, "machines", names=lab)
Management(app, "management", names=lab, machines="machines")
app.synth()
