"""A second database, filled from the backup of the first: ``backups.database_clone_at``."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import main
from settings import SettingsError, load
from settings.loader import ENVIRONMENTS
from tests.template import Template
from tests.unit.stacks.conftest import read

MOMENT = "2026-11-24T09:30:00Z"


def _environments(folder: Path, moment: str) -> Path:
    copy = folder / "environments"
    shutil.copytree(ENVIRONMENTS, copy)
    document = yaml.safe_load((copy / "prod.yaml").read_text())
    document["backups"] = {**document.get("backups", {}), "database_clone_at": moment}
    (copy / "prod.yaml").write_text(yaml.safe_dump(document))
    return copy


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    """All stacks, prod with a database beside its own."""
    folder = tmp_path_factory.mktemp("beside")
    main.build_app(load(_environments(folder, MOMENT)), outdir=str(folder / "cdktf.out")).synth()
    return read(folder / "cdktf.out")


def _databases(template: Template) -> dict[str, dict[str, Any]]:
    """Values of the releases of the database's chart, by release."""
    releases = template.resources("helm_release").values()
    by_name = {release["name"]: json.loads(release["values"][0]) for release in releases}
    return {name: values for name, values in by_name.items() if name.startswith("database")}


def test_there_is_none_unless_asked_for(templates: Mapping[str, Template]) -> None:
    for name in ("vet-dev-helm", "vet-prod-helm"):
        assert list(_databases(templates[name])) == ["database"]


def test_it_is_filled_from_the_first_ones_backup_and_has_none(beside: Mapping[str, Template]) -> None:
    both = _databases(beside["vet-prod-helm"])
    first, second = both["database"], both["database-beside"]
    assert second["recovery"] == {"from": "database", "at": MOMENT}
    assert (second["backup"]["enabled"], second["instances"], second["keep"]) == (False, 1, False)
    assert second["serverCASecret"] == "database-ca", "the application trusts this CA and no other"
    same = ("image", "storage", "parameters", "resources")
    assert {key: second.get(key) for key in same} == {key: first.get(key) for key in same}
    assert list(_databases(beside["vet-dev-helm"])) == ["database"]


def test_beside_a_database_that_was_recovered_it_reads_that_one_s_archive(tmp_path: Path) -> None:
    """What a team says of the database's own recovery (docs/runbooks/lost-data.md) is not said of the second one."""
    environments = _environments(tmp_path, MOMENT)
    document = yaml.safe_load((environments / "prod.yaml").read_text())
    document["values"]["database"] |= {"backup": {"archive": "database-2"}, "recovery": {"from": "database"}}
    (environments / "prod.yaml").write_text(yaml.safe_dump(document))
    main.build_app(load(environments), outdir=str(tmp_path / "cdktf.out")).synth()
    both = _databases(read(tmp_path / "cdktf.out")["vet-prod-helm"])
    first, second = both["database"], both["database-beside"]
    assert (first["recovery"], first["backup"]["archive"]) == ({"from": "database"}, "database-2")
    assert second["recovery"] == {"from": "database-2", "at": MOMENT}
    assert (second["name"], second["backup"]["enabled"]) == ("database-beside", False)


def test_its_service_account_may_read_the_backup(
    beside: Mapping[str, Template], templates: Mapping[str, Template]
) -> None:
    def trusted(template: Template) -> set[str]:
        role = template.one("aws_iam_role", "web_identity/database")
        condition = json.loads(role["assume_role_policy"])["Statement"][0]["Condition"]["StringEquals"]
        (subjects,) = (value for key, value in condition.items() if key.endswith(":sub"))
        return {subjects} if isinstance(subjects, str) else set(subjects)

    first = "system:serviceaccount:vet-app:database"
    assert trusted(templates["vet-prod"]) == {first}
    assert trusted(beside["vet-prod"]) == {first, f"{first}-beside"}


def test_the_application_reaches_it_and_it_reaches_s3(
    beside: Mapping[str, Template], templates: Mapping[str, Template]
) -> None:
    def policies(template: Template) -> dict[str, Any]:
        blocks = template.resources("kubernetes_network_policy_v1").values()
        return {each["metadata"]["name"]: each["spec"] for each in blocks}

    with_it, without = policies(beside["vet-prod-helm"]), policies(templates["vet-prod-helm"])
    assert with_it.keys() - without.keys() == {"database-beside"}
    expected = json.loads(json.dumps(without["database"]).replace('"database"', '"database-beside"'))
    assert with_it["database-beside"] == expected
    assert '"database-beside"' in json.dumps(with_it["vet-app"]["egress"])


@pytest.mark.parametrize("wrong", ["yesterday", "2026-11-24", "2026-11-24T09:30:00"])
def test_a_moment_has_a_zone(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(_environments(tmp_path, wrong))
    (problem,) = raised.value.problems
    assert problem.key == "backups.database_clone_at"
    assert MOMENT in problem.remedy, problem
