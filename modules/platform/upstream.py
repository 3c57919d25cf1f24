"""What ``vet-<env>`` publishes, read from its state: the one way in which the Helm stack knows the infrastructure."""

from cdktf import DataTerraformRemoteStateS3
from constructs import Construct

from settings.names import infrastructure_stack, state_key
from settings.project import Project


class Upstream(Construct):
    """Outputs of the environment's infrastructure stack, by name.

    Terraform's message for a stack that was never applied names nothing but the data source, so the data source's name
    tells what to do.
    """

    def __init__(self, scope: Construct, id_: str, *, project: Project, environment: str) -> None:
        super().__init__(scope, id_)
        stack = infrastructure_stack(environment)
        self._state = DataTerraformRemoteStateS3(
            self, "state", bucket=project.state_bucket, key=state_key(stack), region=project.region
        )
        self._state.override_logical_id(f"deploy_{stack}_first")

    def text(self, output: str) -> str:
        """An output; ``pod_role_arns.storage`` is one of a map's."""
        return self._state.get_string(output)
