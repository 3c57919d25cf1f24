"""Reminders of vaccinations by e-mail, once a day."""

from cdktf_cdktf_provider_kubernetes.cron_job_v1 import CronJobV1, CronJobV1Spec
from constructs import Construct

from modules.platform.vet_application.labels import NAME, task_labels
from modules.platform.vet_application.object_context import ObjectContext
from modules.platform.vet_application.pod import ApplicationPod
from modules.terraform_blocks import typed_block

SCHEDULE = "0 7 * * *"
"""Seven in the morning of the clinic's clock: a mail in the middle of the night would wake somebody."""


class Reminders(Construct):
    """A CronJob. Each reminder goes out once, whatever runs twice or fails (``vet_app``: ``send_reminders``)."""

    def __init__(self, scope: Construct, id_: str, *, context: ObjectContext, pod: ApplicationPod) -> None:
        super().__init__(scope, id_)
        labels = task_labels("reminders")
        self.cron_job = CronJobV1(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(f"{NAME}-reminders", labels),
            spec=typed_block(
                CronJobV1Spec,
                {
                    "schedule": SCHEDULE,
                    "timezone": pod.application.clinic.time_zone,
                    "concurrency_policy": "Forbid",
                    "starting_deadline_seconds": 3600,
                    "successful_jobs_history_limit": 1,
                    "failed_jobs_history_limit": 3,
                    "job_template": {
                        "metadata": {"labels": labels},
                        "spec": {
                            "backoff_limit": 2,
                            "active_deadline_seconds": 1800,
                            "template": {"metadata": {"labels": labels}, "spec": pod.task("send_reminders")},
                        },
                    },
                },
            ),
        )
