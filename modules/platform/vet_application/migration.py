"""Migration of the database before a rollout."""

from cdktf_cdktf_provider_kubernetes.job_v1 import JobV1, JobV1Spec
from constructs import Construct

from modules.platform.vet_application.labels import NAME, task_labels
from modules.platform.vet_application.object_context import ObjectContext
from modules.platform.vet_application.pod import ApplicationPod
from modules.terraform_blocks import typed_block

DATABASE_SECONDS = 600
"""How long it waits for the database, which may just be starting for the first time."""

DEADLINE_SECONDS = 900
"""How long everything may take. Terraform waits a little longer."""


class Migration(Construct):
    """A Job for each release, which Terraform waits for: the rollout begins only after it.

    Migrations only add (``vet_app/README.md``), so the old release goes on with the new tables; a lock in the database
    lets one process migrate at a time. The Job stays until the next release replaces it: one that vanished would run
    again with the next apply.
    """

    def __init__(self, scope: Construct, id_: str, *, context: ObjectContext, pod: ApplicationPod) -> None:
        super().__init__(scope, id_)
        labels = task_labels("migration")
        self.job = JobV1(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(f"{NAME}-migration-{pod.configuration.release}", labels),
            spec=typed_block(
                JobV1Spec,
                {
                    "backoff_limit": 2,
                    "active_deadline_seconds": DEADLINE_SECONDS,
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": pod.task("migrate_locked", "--wait", str(DATABASE_SECONDS)),
                    },
                },
            ),
            wait_for_completion=True,
            timeouts={"create": "20m", "update": "20m"},
        )
