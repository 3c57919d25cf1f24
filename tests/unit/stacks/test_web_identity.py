"""AWS roles for pods."""

import json

from operations.devtools.emulator.rights.evaluation import Caller, Request, allowed
from tests.template import Block, Template
from tests.unit.stacks.conftest import Synthesise

SUBJECTS = {
    "storage": "system:serviceaccount:kube-system:ebs-csi-controller-sa",
    "certificates": "system:serviceaccount:cert-manager:cert-manager",
    "autoscaler": "system:serviceaccount:kube-system:cluster-autoscaler",
    "database": "system:serviceaccount:vet-app:database",
}


def _statements(template: Template, role: str) -> list[Block]:
    statements: list[Block] = json.loads(template.one("aws_iam_role_policy", f"web_identity/{role}/policy")["policy"])[
        "Statement"
    ]
    return statements


def test_each_role_trusts_one_service_account_of_this_cluster(infrastructure: Template) -> None:
    host = f"{infrastructure.name}-issuer-123456789012-us-east-1.s3.us-east-1.amazonaws.com"
    assert infrastructure.one("aws_iam_openid_connect_provider")["url"] == f"https://{host}"
    for role, subject in SUBJECTS.items():
        (trust,) = json.loads(infrastructure.one("aws_iam_role", f"web_identity/{role}")["assume_role_policy"])[
            "Statement"
        ]
        assert trust["Condition"] == {"StringEquals": {f"{host}:sub": subject, f"{host}:aud": "sts.amazonaws.com"}}


def test_storage_changes_only_volumes_and_instances_of_this_cluster(infrastructure: Template) -> None:
    tag = f"kubernetes.io/cluster/{infrastructure.name}"
    for statement in _statements(infrastructure, "storage"):
        if statement["Sid"] in ("Look", "TagWhenCreating"):
            continue
        conditions = json.dumps(statement.get("Condition", {}))
        assert tag in conditions, f"{statement['Sid']} is not narrowed to {tag}: {statement}"


def test_certificates_changes_records_of_one_zone(infrastructure: Template) -> None:
    (answer,) = [s for s in _statements(infrastructure, "certificates") if s["Sid"] == "Answer"]
    (resource,) = answer["Resource"]
    assert resource.startswith("arn:aws:route53:::hostedzone/${data.aws_route53_zone.")


def test_certificates_writes_nothing_but_challenges(infrastructure: Template) -> None:
    """A broken cert-manager cannot send the clinic's visitors elsewhere."""
    rights = Caller("arn:aws:iam::123456789012:role/x", [{"Statement": _statements(infrastructure, "certificates")}])
    zone = next(s for s in rights.policies[0]["Statement"] if s["Sid"] == "Answer")["Resource"][0]
    rights.policies[0]["Statement"][:] = json.loads(json.dumps(rights.policies[0]["Statement"]).replace(zone, "zone"))
    key = "route53:ChangeResourceRecordSets"

    def may(types: list[str], names: list[str]) -> bool:
        context = {f"{key}RecordTypes": types, f"{key}NormalizedRecordNames": names} if types else {}
        return allowed(Request(key, "zone", context), rights)

    challenge = "_acme-challenge.vet-app.example.com"
    assert may(["TXT"], [challenge])
    assert not may(["A"], ["vet-app.example.com"])
    assert not may(["CNAME"], [challenge])
    assert not may(["TXT"], ["example.com"])
    assert not may(["TXT", "A"], [challenge, "vet-app.example.com"])
    assert not may([], []), "a request that says nothing of its records"


def test_autoscaler_scales_only_its_own_groups(infrastructure: Template) -> None:
    (scale,) = [s for s in _statements(infrastructure, "autoscaler") if s["Sid"] == "Scale"]
    tag = f"aws:ResourceTag/k8s.io/cluster-autoscaler/{infrastructure.name}"
    assert scale["Condition"] == {"StringEquals": {tag: "owned"}}


def test_database_writes_only_to_its_bucket(infrastructure: Template) -> None:
    bucket = f"arn:aws:s3:::{infrastructure.name}-database-123456789012-us-east-1"
    for statement in _statements(infrastructure, "database"):
        if statement["Sid"] != "BackupsKey":
            assert all(resource.startswith(bucket) for resource in statement["Resource"]), statement


def test_the_application_writes_only_files_of_patients(dev_with: Synthesise) -> None:
    stack = dev_with(application={"attachments_in_s3": True})
    bucket = f"arn:aws:s3:::{stack.name}-files-123456789012-us-east-1"
    listing, files, key = _statements(stack, "application")
    assert listing["Resource"] == [bucket], listing
    assert files["Resource"] == [f"{bucket}/attachments/*"], files
    assert sorted(files["Action"]) == ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], files
    (trust,) = json.loads(stack.one("aws_iam_role", "web_identity/application")["assume_role_policy"])["Statement"]
    (subject,) = (value for name, value in trust["Condition"]["StringEquals"].items() if name.endswith(":sub"))
    assert subject == "system:serviceaccount:vet-app:vet-app"
    (encryption,) = stack.one("aws_s3_bucket_server_side_encryption_configuration", "buckets/files/encryption")["rule"]
    assert encryption["apply_server_side_encryption_by_default"]["sse_algorithm"] == "aws:kms"
    assert key["Resource"] == [encryption["apply_server_side_encryption_by_default"]["kms_master_key_id"]]


def test_a_protected_environment_keeps_the_bucket_of_patients_files(prod: Template, dev: Template) -> None:
    """Turned off by mistake, nothing is lost: the bucket stays, and only the role goes."""
    assert prod.one("aws_s3_bucket", "buckets/files")["lifecycle"]["prevent_destroy"] is True
    assert not [path for path in prod.resources("aws_iam_role") if path.startswith("web_identity/application")]
    assert not [path for path in dev.resources("aws_s3_bucket") if "files" in path]
