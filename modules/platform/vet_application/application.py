"""The veterinary application: everything between its image and the public host."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.vet_application.attachments import Attachments
from modules.platform.vet_application.configuration import Configuration
from modules.platform.vet_application.deployment import ApplicationDeployment
from modules.platform.vet_application.image import ApplicationImage
from modules.platform.vet_application.migration import Migration
from modules.platform.vet_application.network_policies import NetworkPolicies
from modules.platform.vet_application.object_context import ObjectContext
from modules.platform.vet_application.pod import ApplicationPod
from modules.platform.vet_application.reminders import Reminders
from modules.platform.vet_application.scaling import Autoscaler, DisruptionBudget
from modules.platform.vet_application.service import ApplicationService
from settings.environment import Environment
from settings.names import Names


class VetApplication(Construct):
    """Configuration, migration, pods and the way in, in the order of a rollout.

    :param repository: name of the ECR repository with its images.
    :param namespace: an existing namespace; the database is in it as well.
    :param infrastructure: the infrastructure's outputs; needed for files of patients in S3 alone.
    :param depends_on: what must be there first: the namespace, the database, and the application's Secret.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        repository: str,
        namespace: str,
        infrastructure: InfrastructureOutputs | None = None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        environment = names.environment
        self.image = ApplicationImage(
            self,
            "image",
            repository=repository,
            image=environment.application.image,
            environment=environment.name,
        )
        context = ObjectContext(namespace, list(depends_on))
        attachments = None
        if environment.application.attachments_in_s3:
            if infrastructure is None:
                raise ValueError(
                    "application.attachments_in_s3: the bucket's name is one of the infrastructure's outputs, and no infrastructure was given"
                )
            attachments = Attachments(
                self, "attachments", context=context, environment=environment, infrastructure=infrastructure
            )
        self._objects(environment, context, attachments)

    def _objects(self, environment: Environment, context: ObjectContext, attachments: Attachments | None) -> None:
        application = environment.application
        network = NetworkPolicies(self, "network", context=context, environment=environment)
        configuration = Configuration(
            self,
            "configuration",
            context=context,
            environment=environment,
            image=self.image.chosen,
            more=attachments.variables if attachments else {},
        )
        account = attachments.account.metadata.name if attachments else None
        pod = ApplicationPod(
            self.image.reference, application, configuration, off_spot=environment.interruptible, account=account
        )
        migration = Migration(self, "migration", context=context.depending_on(*network.policies), pod=pod)
        migrated = context.depending_on(migration.job)
        web = ApplicationDeployment(self, "web", context=migrated, pod=pod)
        ApplicationService(
            self, "service", context=context, host=environment.hosts.application, application=application
        )
        DisruptionBudget(self, "disruption_budget", context=context)
        if application.autoscaling:
            Autoscaler(self, "autoscaler", context=context.depending_on(web.deployment), application=application)
        if application.email_reminders:
            Reminders(self, "reminders", context=migrated, pod=pod)
