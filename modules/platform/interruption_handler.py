"""The interruption handler: pods leave a node in the two minutes before EC2 takes it."""

from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.release import Release
from settings.names import Names
from settings.namespaces import on_servers
from settings.pools import OFF_SPOT
from settings.web_identity import INTERRUPTIONS


class InterruptionHandler(Construct):
    """aws-node-termination-handler, which reads the environment's queue and drains the nodes that it is about.

    It runs where EC2 takes nothing back, and answers no lifecycle hook: the servers do (docs/decisions/0104-who-empties-a-node.md).
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, infrastructure: InfrastructureOutputs) -> None:
        super().__init__(scope, id_)
        environment = names.environment
        term = {"matchExpressions": [OFF_SPOT]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        off_spot = {"affinity": {"nodeAffinity": required}}
        Release(
            self,
            "handler",
            environment=environment,
            release="interruption-handler",
            namespace=INTERRUPTIONS.namespace,
            derived={
                "image": environment.cluster.releases["aws-node-termination-handler"].image,
                "region": environment.region,
                "queueUrl": infrastructure.get("interruptions_queue_url"),
                "roleArn": infrastructure.get("pod_role_arns.interruptions"),
                "managedTag": names.interruption_tag,
                **(on_servers() if environment.servers.dedicated else off_spot),
            },
        )
