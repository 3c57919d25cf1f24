"""Files of patients in S3: the AWS role of the application's pods, and where their bucket is."""

from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.vet_application.labels import labels
from modules.platform.vet_application.object_context import ObjectContext
from settings.environment import Environment
from settings.helm_values import web_identity
from settings.web_identity import application


class Attachments(Construct):
    """The service account that the role trusts; the cluster gives it no rights, and its pods no token of the cluster.

    :param infrastructure: the infrastructure's outputs, among them bucket and role.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        context: ObjectContext,
        environment: Environment,
        infrastructure: InfrastructureOutputs,
    ) -> None:
        super().__init__(scope, id_)
        self.account = ServiceAccountV1(
            self,
            "account",
            depends_on=context.depends_on,
            metadata=context.metadata(application(environment).name, labels("web")),
            automount_service_account_token=False,
        )
        identity = web_identity(infrastructure.get("pod_role_arns.application"), environment.region)
        self.variables = {
            "ATTACHMENTS_BUCKET": infrastructure.get("attachments_bucket"),
            **{each["name"]: each["value"] for each in identity},
        }
