"""The permissions boundary of an environment's roles, which is there before any of them is made."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from settings.names import Names


def refuse_missing(names: Names) -> None:
    """Stop before an apply that would end half way: AWS makes no role with a boundary that is not there.

    Raises:
        Failure: the policy does not exist, or AWS does not say whether it does.
    """
    arn, environment = names.boundary_arn, names.environment.name
    client = boto3.client("iam", region_name=names.project.region)
    try:
        client.get_policy(PolicyArn=arn)
        return
    except client.exceptions.NoSuchEntityException:
        pass
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"AWS does not say whether the policy {arn} exists: {error}") from error
    if names.project.access.permissions_boundary:
        raise Failure(
            f"environments/_project.yaml names {arn} as access.permissions_boundary, and the account has no such policy.\n"
            "Every role is made with it. Correct the ARN, or ask those who keep the company's boundaries for the policy."
        )
    raise Failure(
        f"the account has no policy {arn}: the permissions boundary, without which no role of {environment} is made.\n"
        "vet-state makes it, so that no deploy can change how far its own roles reach. First, as the account's administrator:\n"
        f"  make state\nthen again: make deploy ENV={environment}"
    )
