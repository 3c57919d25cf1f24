"""Waits for what the ready gate of the infrastructure stands for: the cluster's published certificate authority and its credentials.

The gate is an association of Systems Manager that Terraform waits for, and the provider now and then takes it for a success at once, while
the machine still initialises (hashicorp/terraform-provider-aws#31175). So what it stands for is looked at before the Helm stack is planned.
"""

from botocore.exceptions import BotoCoreError, ClientError

from nodes.inputs import PENDING
from operations.shared.console import terminal, wait_until, waiting
from operations.shared.errors import Failure
from operations.shared.servers import Cluster

TIMEOUT_SECONDS = 2700
"""As long as the gate itself waits (``modules/aws/ready_gate.py``)."""

POLL_SECONDS = 15

console = terminal()


def wait(cluster: Cluster) -> None:
    """Return once the cluster has published what the Helm stack needs; at once, if it has.

    Raises:
        Failure: it has not within 45 minutes, or AWS cannot be asked.
    """
    missing = lacking(cluster)
    if not missing:
        return
    base = cluster.names.base
    with waiting(console, f"the servers of {base} are still forming the cluster: waiting for {missing}") as show:

        def published() -> bool | None:
            nonlocal missing
            missing = lacking(cluster)
            show(f"the servers of {base} are still forming the cluster: waiting for {missing}")
            return None if missing else True

        if not wait_until(published, seconds=TIMEOUT_SECONDS, poll=(POLL_SECONDS,)):
            raise Failure(
                f"the servers of {base} run, and have not published {missing} within {TIMEOUT_SECONDS // 60} minutes.",
                "The infrastructure is deployed; what they do is in their decision log: journalctl -t vet on server 0,\n"
                f"through Session Manager (docs/runbooks/README.md, looking at a server). Then: make deploy ENV={cluster.environment.name}",
            )


def lacking(cluster: Cluster) -> str:
    """What is not there yet, in words; empty if all is.

    Raises:
        Failure: AWS cannot be asked; then nothing is known.
    """
    parameter, secret = cluster.names.parameter("cluster-ca"), cluster.names.secret("credentials/admin")
    try:
        published = cluster.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        # Whether there is a value, and not the value.
        stored = cluster.client("secretsmanager").describe_secret(SecretId=secret).get("VersionIdsToStages")
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"cannot see whether the cluster of {cluster.names.base} exists: {error}") from error
    absent = {"its certificate authority": published == PENDING, "its credentials": not stored}
    return " and ".join(what for what, lacks in absent.items() if lacks)
