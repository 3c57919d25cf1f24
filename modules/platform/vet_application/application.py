"""The veterinary application: everything between its image and the public host."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.vet_application.configuration import Configuration
from modules.platform.vet_application.deployment import ApplicationDeployment
from modules.platform.vet_application.image import ApplicationImage
from modules.platform.vet_application.migration import Migration
from modules.platform.vet_application.network_policies import NetworkPolicies
from modules.platform.vet_application.placement import Placement
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
    :param wait_for: what must be there first: the namespace, the database, and the application's Secret.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        repository: str,
        namespace: str,
        wait_for: Sequence[ITerraformDependable] = (),
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
        self._objects(environment, Placement(namespace, list(wait_for)))

    def _objects(self, environment: Environment, place: Placement) -> None:
        application = environment.application
        network = NetworkPolicies(self, "network", place=place, environment=environment)
        configuration = Configuration(
            self, "configuration", place=place, environment=environment, image=self.image.chosen
        )
        pod = ApplicationPod(self.image.reference, application, configuration)
        migration = Migration(self, "migration", place=place.after(*network.policies), pod=pod)
        migrated = place.after(migration.job)
        web = ApplicationDeployment(self, "web", place=migrated, pod=pod)
        ApplicationService(self, "service", place=place, host=environment.hosts.application, application=application)
        DisruptionBudget(self, "disruption_budget", place=place)
        if application.autoscaling:
            Autoscaler(self, "autoscaler", place=place.after(web.deployment), application=application)
        if application.email:
            Reminders(self, "reminders", place=migrated, pod=pod)
