"""PostgreSQL goes to its next major by a dump: on the images that the two release sets name, or those that stand in for them."""

import os
from typing import Any

import pytest

from operations.application import upgrade_database
from operations.application.clinic_database import ClinicDatabase
from operations.application.recovery import Recovery, next_name
from operations.application.upgrade_database import Target, upgrade
from operations.shared.servers import Cluster
from settings.web_identity import DATABASE, DATABASE_CLONE
from tests.pods.conftest import Platform, timed

IMAGE = "VET_TEST_NEXT_POSTGRESQL"
"""Image of the next major, with its tag, such as ``ghcr.io/cloudnative-pg/postgresql:17.11``."""


@pytest.mark.long
def test_a_dump_brings_every_table_to_the_next_major(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]
) -> None:
    image = os.environ.get(IMAGE)
    if not image:
        pytest.skip(f"set {IMAGE} to an image of the next major, with its tag, that the nodes have or can pull")
    before = platform.database
    major, archive = int(image.rpartition(":")[2].partition(".")[0]), next_name(before.archive)
    target = Target("dev", image, major, 2)
    monkeypatch.setattr(Target, "of", classmethod(lambda *_: target))
    wanted = Recovery("environments/dev.yaml: values.database", None, platform.archive(archive), None, DATABASE_CLONE)
    monkeypatch.setattr(upgrade_database, "wanted", lambda _: wanted)
    platform.sql(
        "drop table if exists moments", "drop table if exists writes"
    )  # those of other tests are not the application's
    owners = platform.sql("select count(*) from information_schema.tables where table_schema = 'public'")

    with timed(seconds, "second one filled, compared, old one deleted"):
        upgrade(Cluster("dev"), platform.kubectl, auto_approve=True)
    changes: dict[str, Any] = {
        "image": image,
        "import": {"from": DATABASE_CLONE},
        "recovery": {"from": "", "at": ""},  # what an earlier test has left
        "backup": {"archive": archive},
    }
    with timed(seconds, "the clinic's own made and filled"):
        platform.apply(changes)
        platform.ready(600)
    with timed(seconds, "compared again, application started"):
        upgrade(Cluster("dev"), platform.kubectl, auto_approve=True)
        platform.kubectl("rollout", "status", "deployment/vet-app", "--timeout=5m")
    database = platform.database
    assert database.major == major
    assert database.archive == archive
    assert ClinicDatabase.find(platform.kubectl, DATABASE_CLONE) is None
    assert platform.sql("select count(*) from information_schema.tables where table_schema = 'public'") == owners
    assert platform.values()["import"] == {"from": DATABASE_CLONE}, DATABASE
