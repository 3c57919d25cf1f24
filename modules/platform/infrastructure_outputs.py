"""What ``vet-<env>`` publishes, read from its state: the one way in which the Helm stack knows the infrastructure."""

from cdktf import DataTerraformRemoteStateS3
from constructs import Construct

from settings.names import state_key
from settings.project import Project


class InfrastructureOutputs(Construct):
    """Outputs of the stack with the cluster's infrastructure, by name.

    Terraform's message for a stack that was never applied names nothing but the data source, so the data source's name
    tells what to do.

    :param stack: the stack's name, ``vet-<env>`` in this project.
    """

    def __init__(self, scope: Construct, id_: str, *, project: Project, stack: str) -> None:
        super().__init__(scope, id_)
        self.stack = stack
        self._state = DataTerraformRemoteStateS3(
            self, "state", bucket=project.state_bucket, key=state_key(stack), region=project.region
        )
        self._state.override_logical_id(f"deploy_{stack}_first")

    def get(self, output: str) -> str:
        """An output; ``pod_role_arns.storage`` is one of a map's."""
        return self._state.get_string(output)
