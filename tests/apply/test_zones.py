"""Another DNS zone or domain on an account that runs: what serves people stays until somebody lets it go by name."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from operations.devtools.emulator.account import account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.shared.errors import Failure
from settings import load
from tests.apply.conftest import skip_or_fail
from tests.apply.reader import Reader, copied
from tests.changes import one_environment

ALL = "make state AUTO_APPROVE=yes"


@pytest.fixture
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody with dev alone, after ``make state``, in an account of its own."""
    folder = copied(tmp_path_factory.mktemp("zones") / "repository")
    with ExitStack() as keep:
        try:
            emulation = keep.enter_context(account(folder, load(one_environment(folder, {}))))
        except Failure as failure:
            skip_or_fail(str(failure))
        reader = Reader(folder, emulation.emulator)
        reader.done("make state")
        yield reader


def _zones(aws: Clients) -> dict[str, str]:
    """Ids by name."""
    return {each["Name"]: each["Id"] for each in aws("route53").list_hosted_zones()["HostedZones"]}


def _delegated(aws: Clients, zone: str) -> set[str]:
    """Names that a zone delegates to others."""
    records = aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {each["Name"] for each in records if each["Type"] == "NS"}


@pytest.mark.parametrize(
    ("changes", "project", "named", "former"),
    [
        ({"dns_zone": "example.com"}, {}, "dns_zone of dev", ["dev.example.com"]),
        ({}, {"domain": "clinic.example"}, "_project.domain", ["example.com", "dev.example.com"]),
    ],
    ids=["dns_zone", "domain"],
)
def test_former_zones_answer_until_they_are_let_go_by_name(
    reader: Reader, changes: Mapping[str, Any], project: Mapping[str, Any], named: str, former: list[str]
) -> None:
    aws = clients(reader.environment)
    before = _zones(aws)
    one_environment(reader.folder, changes, project)
    refused = reader.run(ALL)
    output = refused.stdout + refused.stderr
    assert refused.returncode != 0, f"{ALL} takes zones away that serve people:\n{output}"
    for part in (
        "delete a zone: aws_route53_zone.dns_zone_dev",
        "aws_route53_record.dns_delegation_dev",
        f"{named}: at once; interrupts",
    ):
        assert part in output, f"{part!r} is not said:\n{output}"
    assert _zones(aws) == before, "a plan that is refused has changed something"

    one_environment(reader.folder, changes, {**project, "former_zones": former})
    reader.done(ALL)
    assert before.items() <= _zones(aws).items(), "a former zone is another one, or gone"
    assert "dev.example.com." in _delegated(aws, before["example.com."]), "names below dev.example.com do not resolve"

    one_environment(reader.folder, changes, project)
    refused = reader.run(ALL)
    losses = [line for line in refused.stderr.splitlines() if line.lstrip().startswith("delete ")]
    addresses = " ".join(line.split(": ")[1] for line in losses)
    reader.done(f'{ALL} LOSE="{addresses}"')
    assert "dev.example.com." not in _zones(aws), "what is named goes"
