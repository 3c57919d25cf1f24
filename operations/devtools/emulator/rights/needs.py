"""Which rights a call takes: actions, the ARNs that they are asked for, and the keys that conditions see.

Source: service authorization reference, one page a service ("Actions defined by ...", "Resource types", "Condition keys"); for what a call needs
besides its own action: IAM user guide ("Granting a user permissions to pass a role to an AWS service"), Amazon S3 user guide ("Using
server-side encryption with KMS keys"), Secrets Manager user guide ("Secret encryption and decryption"). A call whose resource is
written nowhere here is not known, and what is not known is not allowed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from operations.devtools.emulator.rights import account
from operations.devtools.emulator.rights.calls import Call
from operations.devtools.emulator.rights.conditions import Context, Unreadable
from operations.devtools.emulator.rights.evaluation import Request
from operations.devtools.emulator.rights.names import ACTIONS, BESIDES, KINDS, RESOURCES, TAGS_UNSEEN, WITHOUT_RESOURCE

PASSES = {
    "autoscaling": "ec2",
    "dlm": "dlm",
    "ec2": "ec2",
    "s3": "s3",
    "scheduler": "scheduler",
}
"""Services that run something as a role which a call of theirs names, and what they are called then (``iam:PassedToService``)."""

TAG_BY = {
    "CreateInstanceProfile": "TagInstanceProfile",
    "CreateKey": "TagResource",
    "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
    "CreatePolicy": "TagPolicy",
    "CreateRole": "TagRole",
    "CreateSecret": "TagResource",
}
"""Calls that take tags, and the right to tag which they then need (service authorization reference: dependent actions)."""

ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")


def needs(call: Call) -> list[Request]:
    """Every request that AWS would decide on for a call.

    Raises:
        Unreadable: nobody has written down here what the call takes.
    """
    action = ACTIONS.get(call.service, {}).get(call.operation, call.operation)
    if not action:
        return []  # such as sts:GetCallerIdentity, which nobody can be denied
    if call.service == "s3" and action in ("GetObject", "DeleteObject") and call.values("VersionId"):
        action += "Version"
    return [
        *(_request(call, f"{call.service}:{action}", each) for each in _resources(call)),
        *_copied(call),
        *_tagging(call),
        *_passing(call),
        *_keys(call),
    ]


def _request(call: Call, action: str, resource: str, more: Context | None = None) -> Request:
    service = action.split(":")[0]
    context: dict[str, Any] = {"aws:SecureTransport": "true", "aws:RequestedRegion": call.region}
    if service not in TAGS_UNSEEN:
        for key, value in account.tags(resource).items():
            context |= {f"aws:ResourceTag/{key}": value, f"{service}:ResourceTag/{key}": value}
    if call.service not in TAGS_UNSEEN:
        tags = given_tags(call.parameters)
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        context |= {"aws:TagKeys": list(tags)} if tags else {}
    return Request(action, resource, {**context, **_of_service(call, resource), **(more or {})})


def given_tags(parameters: Any, name: str = "") -> dict[str, str]:
    """Tags in a call's parameters: lists of keys and values, or a mapping. Those of a launch template are for what it launches."""
    if isinstance(parameters, Mapping):
        pairs = {part.lower().removeprefix("tag"): value for part, value in parameters.items()}
        if "tag" in name.lower() and {"key", "value"} <= pairs.keys():
            return {str(pairs["key"]): str(pairs["value"])}
        if name.lower() == "tags" and all(isinstance(value, str) for value in parameters.values()):
            return dict(parameters)
        inner = [(part, value) for part, value in parameters.items() if part != "LaunchTemplateData"]
    elif isinstance(parameters, list):
        inner = [(name, value) for value in parameters]
    else:
        return {}
    return {key: value for part, each in inner for key, value in given_tags(each, part).items()}


def _resources(call: Call) -> Sequence[str]:
    """ARNs that a call's own action is asked for."""
    if any(fnmatchcase(f"{call.service}:{call.operation}", each) for each in WITHOUT_RESOURCE):
        return ["*"]
    if call.service == "ec2":
        return _of_ec2(call)
    if call.service == "kms":
        return list(_of_kms(call))
    if call.service == "secretsmanager" and (name := next(iter(call.values("SecretId")), "")):
        known = account.secret(call.region, name)
        return [str(known.arn) if known else account.arn("secretsmanager", f"secret:{name}-AbCdEf", call.region)]
    beside, form = BESIDES.get(f"{call.service}:{call.operation}", ("", ""))
    more = [_arn(call, form, each) for each in (call.values(beside) if beside else ["*"])] if form else []
    for operations, parameter, form in RESOURCES.get(call.service, ()):
        if fnmatchcase(call.operation, operations) and (values := call.values(parameter)):
            return [*(_arn(call, form, value) for value in values), *more]
    raise Unreadable(f"what {call.service}:{call.operation} is asked for")


def _arn(call: Call, form: str, value: str) -> str:
    if value.startswith("arn:"):
        return value.removesuffix(":*")
    service, _, rest = form.partition(" ")
    region = "" if service in ("iam", "route53", "budgets", "s3") or rest.startswith("dashboard/") else call.region
    if service in ("s3", "route53"):
        return f"arn:aws:{service}:::" + rest.format_map(_Filled(call, value))
    if service == "ssm" and value.startswith("AWS-"):  # a document that AWS owns belongs to no account
        return f"arn:aws:ssm:{region}::document/{value}"
    if service == "iam" and rest.startswith("role/") and call.operation != "CreateRole":
        role = account.role_named(value)
        return str(role.arn) if role else account.arn("iam", f"role/{value}")
    return account.arn(service, rest.format_map(_Filled(call, value)), region)


class _Filled(dict[str, str]):
    """Values for an ARN's form: ``{}`` is the parameter next to which it stands, other names are parameters of the call."""

    def __init__(self, call: Call, value: str) -> None:
        super().__init__(value=value.removeprefix("/hostedzone/").removeprefix("/change/").removeprefix("https://"))
        self._call = call

    def __missing__(self, name: str) -> str:
        if name == "kind":  # how Systems Manager calls what it tags: Document, Parameter, Association
            return self._call.values("ResourceType")[0].lower()
        if name == "last":  # of an address' path: a queue's name
            return self["value"].rpartition("/")[2]
        if name == "group":  # whose member an instance is
            return account.group_of(self._call.region, self["value"])
        return next(iter(self._call.values(name)), {"Path": "/", "GroupName": "default"}.get(name, ""))


def _copied(call: Call) -> Iterator[Request]:
    """What is copied is read as well: the object or one version of it, and the key of its bucket (Amazon S3 API reference: CopyObject)."""
    for source in call.values("CopySource"):
        path, _, version = unquote(source).removeprefix("/").partition("?versionId=")
        yield _request(call, f"s3:GetObject{'Version' if version else ''}", f"arn:aws:s3:::{path}")
        yield from _key_of_bucket(call, *path.split("/", 1), reading=True)


def _of_ec2(call: Call) -> list[str]:
    """EC2 asks for everything that a call names by its id, and for what it makes."""
    resources = [
        account.arn("ec2", f"{KINDS[match[1]]}/{text}", call.region)
        for text in call.texts()
        if (match := re.fullmatch(r"([a-z]+)-[0-9a-f]{8,17}", text)) and match[1] in KINDS
    ]
    return [*dict.fromkeys(resources), *_tagged_by_ec2(call)] or ["*"]


def _tagged_by_ec2(call: Call) -> list[str]:
    """What a call of EC2 makes with tags, by its type."""
    kinds = sorted(set(call.values("TagSpecifications.ResourceType")))
    return [account.arn("ec2", f"{kind}/*", call.region) for kind in kinds]


def _of_kms(call: Call) -> Iterator[str]:
    """Keys by whatever name, and an alias besides the key that it gets (KMS developer guide: controlling access to aliases)."""
    for name in [*call.values("KeyId"), *call.values("TargetKeyId"), *call.values("AliasName")]:
        if name.startswith("alias/") and "Alias" in call.operation:
            yield account.arn("kms", name, call.region)
        known = account.key(call.region, name)
        if known:
            yield str(known.arn)


def _of_service(call: Call, resource: str) -> Context:
    """Condition keys of one service alone."""
    context: dict[str, Any] = {}
    if call.service == "iam":
        context |= _of_roles(call, resource)
    if call.service == "ec2" and call.operation != "CreateTags":
        context["ec2:CreateAction"] = call.operation
    if call.operation == "ChangeResourceRecordSets":
        changes, prefix = "ChangeBatch.Changes", "route53:ChangeResourceRecordSets"
        names = call.values(f"{changes}.ResourceRecordSet.Name")
        context[f"{prefix}NormalizedRecordNames"] = [name.lower().rstrip(".") for name in names]
        context[f"{prefix}RecordTypes"] = call.values(f"{changes}.ResourceRecordSet.Type")
        context[f"{prefix}Actions"] = call.values(f"{changes}.Action")
    return context


def _of_roles(call: Call, resource: str) -> Context:
    """The boundary that a role has or is to have, the policy that it gets, and the service that it is passed or linked to."""
    boundary = call.values("PermissionsBoundary")
    role = account.role_named(resource.rsplit("/", 1)[-1]) if ":role/" in resource else None
    if not boundary and role and role.permissions_boundary_arn:
        boundary = [role.permissions_boundary_arn]
    keys = {
        "iam:PermissionsBoundary": boundary,
        "iam:PolicyARN": call.values("PolicyArn"),
        "iam:AWSServiceName": call.values("AWSServiceName"),
    }
    return {key: values for key, values in keys.items() if values}


def _tagging(call: Call) -> Iterator[Request]:
    """What a call tags as it makes it takes the right to tag as well, in these services."""
    if call.service == "ec2":
        for each in _tagged_by_ec2(call) if call.operation != "CreateTags" else ():
            yield _request(call, "ec2:CreateTags", each)
    elif call.operation in TAG_BY and given_tags(call.parameters):
        for each in _resources(call):
            yield _request(call, f"{call.service}:{TAG_BY[call.operation]}", each)


def _passing(call: Call) -> Iterator[Request]:
    """An identity that gives a role to a service needs the right to pass it."""
    service = PASSES.get(call.service)
    if service is None or call.operation.startswith(("Get", "List", "Describe", "Delete", "Head")):
        return
    service = "vpc-flow-logs" if call.operation == "CreateFlowLogs" else service
    named = {text for text in call.texts() if ROLE.fullmatch(text)}
    profiles = [*call.values("IamInstanceProfile.Name"), *call.values("IamInstanceProfile.Arn")]
    if call.service == "autoscaling":
        profiles = account.profiles_of_template(call.region, call.values("LaunchTemplate.LaunchTemplateId"))
    for role in sorted(named | {role for profile in profiles for role in account.roles_of_profile(profile)}):
        yield _request(call, "iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _keys(call: Call) -> Iterator[Request]:
    """What is encrypted takes the key as well, in the context that the service gives it."""
    if call.service == "s3" and call.operation in ("GetObject", "HeadObject", "PutObject", "CopyObject"):
        reading = call.operation in ("GetObject", "HeadObject")
        yield from _key_of_bucket(call, call.values("Bucket")[0], call.values("Key")[0], reading=reading)
    if call.service == "secretsmanager" and call.operation in ("GetSecretValue", "PutSecretValue", "CreateSecret"):
        known = account.secret(call.region, next(iter(call.values("SecretId")), ""))
        name = account.key_of_secret(known) if known else next(iter(call.values("KmsKeyId")), "")
        key = account.key(call.region, name) if name else None
        if key:
            context = {"kms:EncryptionContext:SecretARN": str(known.arn)} if known else {}
            for action in ("Decrypt",) if call.operation == "GetSecretValue" else ("GenerateDataKey", "Decrypt"):
                yield _by_service(call, action, str(key.arn), context)


def _key_of_bucket(call: Call, bucket: str, key: str, *, reading: bool) -> Iterator[Request]:
    name, own = account.bucket_key(bucket)
    known = account.key(call.region, name) if name else None
    if known:
        whole = f"arn:aws:s3:::{bucket}"
        context = {"kms:EncryptionContext:aws:s3:arn": whole if own else f"{whole}/{key}"}
        yield _by_service(call, "Decrypt" if reading else "GenerateDataKey", str(known.arn), context)


def _by_service(call: Call, action: str, key: str, context: Context) -> Request:
    via = {"kms:ViaService": f"{call.service}.{call.region}.amazonaws.com"}
    return _request(call, f"kms:{action}", key, {**via, **context})
