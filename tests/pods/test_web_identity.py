"""AWS rights of pods: a token that is mounted, exchanged at STS, and had by nobody else."""

import base64
import json
import time
from typing import Any

from settings.web_identity import DATABASE
from tests.pods.conftest import Platform

WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"

BARMAN_S_PYTHON = '$(head -n 1 "$(command -v barman-cloud-backup)" | cut -c 3-)'
"""What writes the backups has AWS's library, wherever the image has put it."""


def claims(platform: Platform, pod: str) -> dict[str, Any]:
    """What the database's token says."""
    read = ("sh", "-c", 'cat "$AWS_WEB_IDENTITY_TOKEN_FILE"')
    token = platform.kubectl("exec", pod, "--container", "postgres", "--", *read).strip()
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def test_the_database_s_token_is_for_sts_and_its_own_account(platform: Platform) -> None:
    payload = claims(platform, platform.primary())
    assert payload["aud"] == ["sts.amazonaws.com"]
    assert payload["sub"] == f"system:serviceaccount:vet-app:{DATABASE}", (
        f"AWS's trust policy names another: {payload['sub']}"
    )
    assert payload["exp"] - time.time() <= 86400, "it is valid for longer than a day"


def test_sts_takes_the_token(platform: Platform) -> None:
    pod = platform.primary()
    role = platform.kubectl("exec", pod, "--container", "postgres", "--", "sh", "-c", 'echo "$AWS_ROLE_ARN"').strip()
    words = ("sh", "-c", f'{BARMAN_S_PYTHON} -c "{WHO}"')
    arn = platform.kubectl("exec", pod, "--container", "postgres", "--", *words).strip().splitlines()[-1]
    assert f":assumed-role/{role.rpartition('/')[2]}/" in arn, f"{arn} is not {role}"


def test_web_pods_hold_no_token_and_no_role(platform: Platform) -> None:
    pods = json.loads(platform.kubectl("get", "pods", "--selector=app=vet-app", "--output=json"))["items"]
    assert pods
    for pod in pods:
        text = json.dumps(pod["spec"])
        assert "serviceAccountToken" not in text, f"{pod['metadata']['name']} mounts a token"
        assert "AWS_ROLE_ARN" not in text, f"{pod['metadata']['name']} has a role in AWS"
