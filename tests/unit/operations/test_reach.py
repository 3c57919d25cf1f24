"""The picture of trust shows what the policies say, and forgets nothing."""

import copy
import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from operations.report.diagrams import trust
from operations.report.reach import Right, rights
from operations.report.report import EnvironmentReport
from operations.shared.stack_json import Document


@pytest.fixture(scope="module")
def prod(chapters: list[EnvironmentReport]) -> EnvironmentReport:
    (chapter_of_prod,) = [chapter for chapter in chapters if chapter.name == "prod"]
    return chapter_of_prod


def of(chapter: EnvironmentReport, who: str, does: str) -> set[str]:
    return {right.what for right in chapter.rights if (right.who, right.does) == (who, does)}


def test_an_agent_reads_its_token_and_writes_nothing(prod: EnvironmentReport) -> None:
    assert of(prod, "agent", "writes") == set()
    assert of(prod, "agent", "reads") == {"bucket nodes", "cluster's certificate", "images", "secret agent-token"}


def test_a_server_keeps_what_the_cluster_is(prod: EnvironmentReport) -> None:
    assert {"secret server-token", "secret credentials/admin", "bucket issuer", "bucket snapshots"} <= of(
        prod, "server", "writes"
    )
    assert "bucket database" not in {right.what for right in prod.rights if right.who == "server"}


def test_every_role_of_the_stack_is_drawn(prod: EnvironmentReport) -> None:
    drawn = unescape(trust(prod.topology, prod.rights))
    for right in prod.rights:
        assert right.who in drawn
        assert right.what in drawn


def changed(chapter: EnvironmentReport, change: Callable[[dict[str, Any]], None]) -> Document:
    content = copy.deepcopy(chapter.topology.document.content)
    policy = next(iter(content["resource"]["aws_iam_role_policy"].values()))
    document = json.loads(policy["policy"])
    change(document)
    policy["policy"] = json.dumps(document)
    return Document("vet-prod", content)


def test_what_nobody_has_named_stops_it(prod: EnvironmentReport) -> None:
    def other(policy: dict[str, Any]) -> None:
        policy["Statement"][0]["Resource"] = ["arn:aws:sqs:us-east-1:123456789012:queue"]

    with pytest.raises(ValueError, match="nobody has said what arn:aws:sqs"):
        rights(changed(prod, other))


def test_a_new_right_is_seen(prod: EnvironmentReport) -> None:
    def more(policy: dict[str, Any]) -> None:
        bucket = "arn:aws:s3:::vet-prod-database-123456789012-us-east-1/*"
        policy["Statement"].append({"Effect": "Allow", "Action": "s3:GetObject", "Resource": bucket})

    new = set(rights(changed(prod, more))) - set(prod.rights)
    assert new == {Right("agent", "bucket database", "reads")}


def test_the_page_points_at_what_there_is() -> None:
    root = Path(__file__).parents[3]
    page = root / "docs/security.md"
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    named = re.findall(r"`((?:tests|nodes|settings)/[\w./]+)`", page.read_text())
    assert "pictures/trust-prod.svg" in links
    gone = [link for link in links if not (page.parent / link).exists()]
    gone += [name for name in named if not (root / name).exists()]
    assert not gone, f"docs/security.md names what is not there: {gone}"
