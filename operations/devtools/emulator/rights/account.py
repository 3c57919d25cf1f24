"""What the emulated account knows of those who call and of what they call for: roles, policies of resources, tags."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.acm.models import acm_backends
from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import Role, iam_backends
from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, secretsmanager_backends
from moto.sts.models import sts_backends

from operations.devtools.emulator import ACCOUNT_ID
from operations.devtools.emulator.rights.conditions import Unreadable
from operations.devtools.emulator.rights.evaluation import Caller, Policy

IAM = iam_backends[ACCOUNT_ID]["aws"]


def arn(service: str, resource: str, region: str = "") -> str:
    """ARN of something of the account."""
    return f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}"


def caller(key: str) -> tuple[Caller, str] | None:
    """The role whose credentials have this access key, and the name of its session as AWS says it. None for other credentials,
    which are the account's administrator's.

    Raises:
        Unreadable: the key looks like a role's and is none's, or the session has a policy of its own.
    """
    for session in list(sts_backends[ACCOUNT_ID]["aws"].assumed_roles):
        if session.access_key_id == key:
            if session.policy:
                raise Unreadable("a policy of the session")
            role = IAM.get_role_by_arn(session.role_arn)
            return _caller(role), session.arn
    if key.startswith("ASIA"):
        raise Unreadable(f"the access key {key}, which is no role's")
    return None


def _caller(role: Role) -> Caller:
    documents = [*role.policies.values(), *(policy_document(each) for each in role.managed_policies)]
    boundary = role.permissions_boundary_arn
    return Caller(
        str(role.arn),
        [_read(document) for document in documents],
        _read(policy_document(boundary)) if boundary else None,
    )


def policy_document(policy_arn: str) -> str:
    """A managed policy's document as it is now."""
    policy: Any = IAM.get_policy(policy_arn)
    document: str = next(each.document for each in policy.versions if each.is_default)
    return document


def _read(document: str | bytes) -> Policy:
    policy: Policy = json.loads(document)
    return policy


def role_named(name: str) -> Role | None:
    """A role by its name."""
    return next((role for role in list(IAM.roles.values()) if role.name == name), None)


def roles_of_profile(name_or_arn: str) -> list[str]:
    """ARNs of an instance profile's roles."""
    name = name_or_arn.rsplit("/", 1)[-1]
    profiles = [profile for profile in list(IAM.instance_profiles.values()) if profile.name == name]
    return [str(role.arn) for profile in profiles for role in profile.roles]


def profiles_of_template(region: str, templates: Sequence[str]) -> list[str]:
    """Names of the instance profiles that launch templates give to what they launch."""
    known: Any = ec2_backends[ACCOUNT_ID][region]
    data = [known.get_launch_template(template).latest_version().data for template in templates]
    profiles = [each.get("IamInstanceProfile", {}) for each in data]
    return [each.get("Arn") or each["Name"] for each in profiles if each]


def group_of(region: str, instance: str) -> str:
    """Name of the auto-scaling group that an instance is in; ``*`` if it is in none."""
    groups: Any = autoscaling_backends[ACCOUNT_ID][region].autoscaling_groups
    names = [name for name, each in groups.items() if instance in {state.instance.id for state in each.instance_states}]
    return names[0] if names else "*"


def key(region: str, name: str) -> Key | None:
    """A KMS key by its id, ARN, alias or alias's ARN."""
    keys: Any = kms_backends[ACCOUNT_ID][name.split(":")[3] if name.startswith("arn:") else region]
    if "alias/" in name:
        name = keys.get_key_id_from_alias("alias/" + name.split("alias/", 1)[1]) or ""
    kms_key: Key | None = keys.keys.get(name.rsplit("/", 1)[-1])
    return kms_key


def secret(region: str, name: str) -> FakeSecret | ReplicaSecret | None:
    """A secret by its name or ARN; in another region, its copy there."""
    secrets: Any = list(secretsmanager_backends[ACCOUNT_ID][region].secrets.values())
    return next((each for each in secrets if name in (each.arn, each.name)), None)


def key_of_secret(known: FakeSecret | ReplicaSecret) -> str:
    """The KMS key that encrypts a secret; empty for Secrets Manager's own, and for a copy, of which moto does not keep it."""
    return (not isinstance(known, ReplicaSecret) and known.kms_key_id) or ""


def bucket(name: str) -> FakeBucket | None:
    """A bucket by its name."""
    fake_bucket: FakeBucket | None = s3_backends[ACCOUNT_ID]["aws"].buckets.get(name)
    return fake_bucket


def bucket_key(name: str) -> tuple[str, bool]:
    """The KMS key by which a bucket encrypts, and whether it does so by a key of the bucket's own; an empty text if by none."""
    fake_bucket = bucket(name)
    encryption: Any = (fake_bucket.encryption if fake_bucket else None) or {}
    rules = encryption.get("Rule", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        how = rule.get("ApplyServerSideEncryptionByDefault", {})
        if how.get("SSEAlgorithm") == "aws:kms" and "KMSMasterKeyID" in how:
            return how["KMSMasterKeyID"], str(rule.get("BucketKeyEnabled")).lower() == "true"
    return "", False


def policy_of(resource: str) -> Policy | None:
    """The policy that a bucket, secret or key has itself, and who may take a role."""
    _, _, service, region, _, rest = resource.split(":", 5) if resource != "*" else [""] * 6
    document: Any = None
    if service == "s3":
        fake_bucket = bucket(rest.split("/")[0])
        document = fake_bucket.policy if fake_bucket else None
    elif service == "kms" and rest.startswith("key/"):
        known = key(region, resource)
        document = known.policy if known else None
    elif service == "secretsmanager":
        held = secret(region, resource)
        primary = held.source if isinstance(held, ReplicaSecret) else held  # whose policy its copies have
        document = primary.policy if primary else None
    elif service == "iam" and rest.startswith("role/"):
        role = role_named(rest.rsplit("/", 1)[-1])
        document = role.assume_role_policy_document if role else None
    return _read(document) if document else None


def tags(resource: str) -> Mapping[str, str]:
    """A resource's tags, where AWS names it: these are what policies tell environments apart by. What has a name of ours is told by that."""
    if resource == "*":
        return {}
    _, _, service, region, _, rest = resource.split(":", 5)
    kind, _, name = rest.partition("/")
    if service == "ec2":
        return dict(ec2_backends[ACCOUNT_ID][region].tags.get(name, {}))
    if service == "kms" and kind == "key":
        return kms_backends[ACCOUNT_ID][region].tagger.get_tag_dict_for_resource(name)
    if service == "elasticloadbalancing":
        return elbv2_backends[ACCOUNT_ID][region].tagging_service.get_tag_dict_for_resource(resource)
    if service == "acm":
        certificates: Any = acm_backends[ACCOUNT_ID][region]._certificates
        return dict(certificates[resource].tags) if resource in certificates else {}
    if service == "iam" and kind == "role":
        role = role_named(name.rsplit("/", 1)[-1])
        return {each["Key"]: each["Value"] for each in role.tags} if role else {}
    return {}
