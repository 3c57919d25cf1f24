"""What AWS would refuse is found in the JSON, whatever attribute it stands in."""

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from settings.aws_constraints import AwsConstraint, table
from tests.policy import aws
from tests.unit.tools.conftest import LONGEST, Documents, everything_on

LONGEST_PREFIX = {"name": "test", "project": {"name_prefix": "clinic-grou"}}
"""A prefix of the most characters that leave room for ``prod``, and an environment as long."""


@pytest.fixture(
    scope="module",
    params=[{}, {"cluster": {"release_set": "current"}}, LONGEST_PREFIX],
    ids=["documented", "current", "longest prefix"],
)
def documents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """The shipped stacks, and an environment with everything on and the longest name."""
    return everything_on(tmp_path_factory.mktemp("everything"), **request.param)


def test_aws_takes_every_attribute_that_the_stacks_set(documents: Documents) -> None:
    assert len(list(aws.attributes(documents))) > 1000, "hardly an attribute was looked at"
    assert not (wrong := aws.judge(documents)), "AWS would refuse:\n" + "\n".join(wrong)


def test_no_row_and_no_line_is_idle(changeable: Documents, tmp_path: Path) -> None:
    pinned = everything_on(tmp_path, image={"ami_id": "ami-0123456789abcdef0"})
    assert not (idle := aws.idle([changeable, pinned])), f"no stack sets {idle}: take them out"


@cache
def _constrained() -> tuple[tuple[str, AwsConstraint], ...]:
    lines = [(type_, path) for type_, each in aws.mapping().items() for path in each if path != "model"]
    constraints = [(f"{type_}.{path}", aws.constraint_on(f"{type_}.{path}")) for type_, path in lines]
    tags = [(name, row) for row in table() for name in row.attributes if name.startswith("*.")]
    return (*((name, known) for name, known in constraints if known), *tags)


@pytest.mark.parametrize(("name", "known"), _constrained(), ids=lambda value: value if isinstance(value, str) else "")
def test_each_constraint_refuses_what_it_is_for(name: str, known: AwsConstraint) -> None:
    assert known.tight(), f"{name}: its constraint refuses nothing; call it free, or find the rule"
    for wrong, why in _wrong_values(known):
        assert list(known.broken_by(wrong)), f"{name}: {wrong!r:.80} is {why}, and is taken ({known.source})"


def _wrong_values(known: AwsConstraint) -> list[tuple[Any, str]]:
    """A value with a wrong character, one too long or too short, one out of range, one of each that is reserved."""
    wrong: list[tuple[Any, str]] = []
    if known.max is not None:
        wrong.append(("a" * (known.max + 1), "too long"))
    if known.min:
        wrong.append(("", "empty"))
    if known.pattern is not None and "\x01" not in known.pattern:
        wrong += [] if _takes_all(known.pattern) else [("a\x01'\U0001f600", "of wrong characters")]
    if known.highest is not None:
        wrong.append((known.highest + 1, "too large"))
    if known.lowest is not None:
        wrong.append((known.lowest - 1, "too small"))
    if known.one_of:
        wrong.append(("no-such-value", "not one of the values"))
    if known.network:
        wrong += [("10.0.0.1/24", "an address in a network"), ("10.0.0.0/33", "no network")]
    wrong += [(f"{start}clinic", "reserved by its start") for start in known.prefixes]
    wrong += [(f"clinic{end}", "reserved by its end") for end in known.suffixes]
    return wrong + [(value, "reserved") for value in known.values]


def _takes_all(pattern: str) -> bool:
    """Whether a model's pattern says nothing of characters, as ``.*`` and IAM's ranges of all printable ones do not."""
    return re.fullmatch(pattern, "a\x01'\U0001f600") is not None


WRONG_CHARACTERS = "'\"<>|\x01\u00e9\U0001f600"
"""Characters of which each pattern that says anything refuses one."""


def test_one_wrong_character_in_a_sound_value_is_refused(changeable: Documents) -> None:
    taken, looked_at = [], set()
    for attribute in aws.attributes(changeable):
        known = _constraint_on(attribute)
        if known is None or not isinstance(attribute.value, str) or attribute.name in looked_at:
            continue
        looked_at.add(attribute.name)
        value = aws.EXPRESSION.sub("x", attribute.value)
        assert not list(known.broken_by(value)), f"{attribute} is refused as it is"
        for broken, why in _broken(known, value):
            if not any(list(known.broken_by(each)) for each in broken):
                taken.append(f"{attribute.name}: {why} is taken ({known.source})")
    assert len(looked_at) > 100, "hardly an attribute was looked at"
    assert not taken, "\n".join(taken)


def _constraint_on(attribute: aws.Attribute) -> AwsConstraint | None:
    try:
        return aws.constraint_on(attribute.name)
    except KeyError:
        return None  # a tag: its rows are judged by the test above


def _broken(known: AwsConstraint, value: str) -> Iterator[tuple[list[str], str]]:
    middle = len(value) // 2
    if known.one_of or (known.pattern is not None and not _takes_all(known.pattern)):
        yield [value[:middle] + letter + value[middle:] for letter in WRONG_CHARACTERS], "one wrong character"
    if known.max is not None:
        yield [value + (value[-1:] or "a") * (known.max + 1 - len(value))], "a value that is one too long"


def _changed(documents: Documents, type_: str, **values: Any) -> Documents:
    changed: Any = copy.deepcopy(documents)
    stack = f"vet-{LONGEST}"
    block = next(iter(changed[stack]["resource"][type_].values()))
    block.update(values)
    return changed


WRONG = {
    "an apostrophe in a group's description": ("aws_security_group", {"description": "Operators' way in"}),
    "a group that looks like an id": ("aws_security_group", {"name": "sg-clinic"}),
    "a load balancer that looks internal": ("aws_lb", {"name": "internal-clinic"}),
    "a load balancer of 33 characters": ("aws_lb", {"name": "x" * 33}),
    "a repository with two dashes": ("aws_ecr_repository", {"name": "a--b/vet-app"}),
    "a bucket of an access point": ("aws_s3_bucket", {"bucket": "clinic-s3alias"}),
    "a reserved parameter": ("aws_ssm_parameter", {"name": "/aws-clinic/cluster-ca"}),
    "a role with an emoji": ("aws_iam_role", {"description": "nodes \U0001f600"}),
    "a tag that AWS keeps": ("aws_vpc", {"tags": {"aws:owner": "me"}}),
    "a tag with a wrong character": ("aws_vpc", {"tags": {"Team": "night & day"}}),
    "a VPC that is too large": ("aws_vpc", {"cidr_block": "10.0.0.0/8"}),
    "an attribute that nobody has looked up": ("aws_lb", {"xff_header_processing_mode": "append"}),
    "a resource that nobody has looked up": ("aws_vpc", {"ipv6_netmask_length": 56}),
}


@pytest.mark.parametrize(("type_", "values"), WRONG.values(), ids=WRONG.keys())
def test_what_aws_refuses_is_said_with_its_place(type_: str, values: dict[str, Any], changeable: Documents) -> None:
    wrong = aws.judge(_changed(changeable, type_, **values))
    key = next(iter(values))
    assert wrong, f"{type_} with {values} was taken"
    assert all(f"vet-{LONGEST}/" in line and f"{type_}.{key}" in line for line in wrong), wrong


def test_what_surrounds_a_reference_is_judged(changeable: Documents) -> None:
    wrong = aws.judge(_changed(changeable, "aws_security_group", description="way in for ${aws_vpc.v.id}'s people"))
    assert ["aws_security_group.description" in line for line in wrong] == [True], wrong


IAM = Path(".tools/checkov/bin/python")


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Action": ["s3:GetObjekt"]}, "UNKNOWN_ACTION"),
        ({"Action": ["kms:Decrypt"], "Resource": "arn:aws:s3:::clinic"}, "RESOURCE_MISMATCH"),
        (
            {"Action": ["s3:GetObject"], "Condition": {"StringEquals": {"s3:Colour": "red"}}},
            "UNKNOWN_CONDITION_FOR_ACTION",
        ),
    ],
)
def test_iam_knows_what_policies_name(statement: dict[str, Any], issue: str, tmp_path: Path) -> None:
    if not IAM.exists():
        pytest.skip("Parliament lives beside Checkov, which `make lint` installs: run that first")
    stack = tmp_path / "vet-dev"
    stack.mkdir()
    whole = {"Sid": "Wrong", "Effect": "Allow", "Resource": "*", **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [whole]})
    (stack / "cdk.tf.json").write_text(json.dumps({"resource": {"aws_iam_role_policy": {"node": {"policy": policy}}}}))
    judged = subprocess.run([IAM, "-m", "tests.policy.iam", str(tmp_path)], capture_output=True, text=True)
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert issue in judged.stdout, judged.stdout
    assert "vet-dev/aws_iam_role_policy.node, Wrong" in judged.stdout, judged.stdout
