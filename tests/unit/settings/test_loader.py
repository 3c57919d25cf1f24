"""Loading: what is filled in, how files are put together, and that all problems are told at once."""

import shutil
from collections.abc import Callable

import pytest

from settings import load
from settings.loader import ENVIRONMENTS, placeholders_left
from tests.unit.settings.conftest import Files


def test_an_environment_is_its_own_file_over_the_common_one(files: Files) -> None:
    dev, prod = files.load().environments
    assert (dev.name, prod.name) == ("dev", "prod")
    assert dev.servers.root_volume_gib == 50, "from the common file"
    assert dev.servers.count == 1, "from its own file"
    files.append("prod.yaml", "image: {owner: '123456789012'}\n")
    assert files.load().environment("prod").image.owner == "123456789012", "an environment's own value wins"
    assert "22.04" in files.load().environment("prod").image.name, "the map's other keys stay"


def test_lists_are_replaced(files: Files) -> None:
    files.replace("_common.yaml", "cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n  nat_gateways: [a, b]")
    assert files.load().environment("dev").network.nat_gateways == ["b"]


def test_name_region_and_zone_are_filled_in(files: Files) -> None:
    dev, prod = files.load().environments
    assert (dev.region, dev.dns_zone, dev.hosts.rancher) == ("us-east-1", "dev.example.com", "rancher.dev.example.com")
    assert (prod.dns_zone, prod.hosts.application) == ("example.com", "vet-app.example.com")


def test_the_domain_itself_can_be_the_applications_host(files: Files) -> None:
    files.replace("prod.yaml", "vet-app.{domain}", "'{domain}'")
    assert files.load().environment("prod").dns_zone == "example.com"


def test_settings_cannot_be_changed(files: Files) -> None:
    settings = files.load()
    with pytest.raises(Exception, match="frozen"):
        settings.environments[0].servers.count = 3  # type: ignore[misc]


def test_a_copy_of_dev_with_other_hosts_is_a_new_environment(files: Files) -> None:
    shutil.rmtree(files.folder)
    shutil.copytree(ENVIRONMENTS, files.folder)
    text = (ENVIRONMENTS / "dev.yaml").read_text()
    (files.folder / "staging.yaml").write_text(text.replace(".dev.{domain}", ".staging.{domain}"))
    settings = files.load()
    assert [environment.name for environment in settings.environments] == ["dev", "prod", "staging"]
    assert settings.environment("staging").dns_zone == "staging.example.com"


def test_a_copy_of_dev_with_the_same_hosts_is_refused(files: Files) -> None:
    shutil.copy(files.folder / "dev.yaml", files.folder / "staging.yaml")
    problems = files.problems()
    assert {(problem.file, problem.key) for problem in problems} == {
        ("environments/staging.yaml", "hosts.application"),
        ("environments/staging.yaml", "hosts.rancher"),
    }
    assert "the environment dev has this host too" in problems[0].rule


def test_an_unknown_key_does_not_hide_rules_of_its_own_section(files: Files) -> None:
    files.replace("dev.yaml", "count: 1\n", "count: 2\n  sice: 3\n")
    assert [problem.key for problem in files.problems()] == ["servers.count", "servers.sice"]


def test_what_is_wrong_in_the_common_file_is_told_once(files: Files) -> None:
    files.replace("_common.yaml", "path: /ping", "path: ping")
    problem = files.only()
    assert (problem.file, problem.value) == ("environments/_common.yaml", "ping")
    assert "write it like /ping" in problem.remedy


def _binary(files: Files) -> None:
    (files.folder / "dev.yaml").write_bytes(b"deletion_protection: \xff\n")


def _list(files: Files) -> None:
    (files.folder / "dev.yaml").write_text("- a\n")


def _folder(files: Files) -> None:
    (files.folder / "dev.yaml").unlink()
    (files.folder / "dev.yaml").mkdir()


def _control_character(files: Files) -> None:
    (files.folder / "dev.yaml").write_text("deletion_protection: \x01\n")


@pytest.mark.parametrize(
    ("break_file", "rule"),
    [
        (_binary, "the file must be UTF-8 text: byte 21 is not"),
        (_list, "the file must be a map of keys"),
        (_folder, "the file must be readable: it is not an ordinary file"),
        (_control_character, "control characters are not allowed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_cannot_be_read(files: Files, break_file: Callable[[Files], None], rule: str) -> None:
    break_file(files)
    problem = files.only()
    assert (problem.file, problem.line) == ("environments/dev.yaml", 1)
    assert rule in problem.rule


def test_files_that_nothing_would_read_are_refused(files: Files) -> None:
    shutil.copy(files.folder / "dev.yaml", files.folder / "staging.yml")
    (files.folder / "_shared.yaml").write_text("{}\n")
    remedies = {problem.file: problem.remedy for problem in files.problems()}
    assert remedies == {
        "environments/staging.yml": "rename it to staging.yaml",
        "environments/_shared.yaml": "rename it, or remove it",
    }


def test_without_files_it_says_what_to_write(files: Files) -> None:
    shutil.rmtree(files.folder)
    problems = files.problems()
    assert problems[0].remedy == "write one, such as dev.yaml"
    assert {"account_id", "domain", "email", "state_bucket"} <= {problem.key for problem in problems}
    assert all(problem.file in ("environments/", "environments/_project.yaml") for problem in problems), problems


@pytest.mark.parametrize("file", ["_common.yaml", "_project.yaml"])
def test_an_unreadable_shared_file_is_the_only_thing_told(files: Files, file: str) -> None:
    (files.folder / file).write_text("a: [\n")
    problem = files.only()
    assert problem.file == f"environments/{file}"


def test_an_acknowledged_warning_carries_its_reason(files: Files) -> None:
    warning = files.warning("small-servers")
    assert (warning.environment, warning.place) == ("dev", "environments/dev.yaml:17")
    assert warning.acknowledged == (
        "Rancher and all that need not be on the 4 GiB server runs on the agents in this environment."
    )
    assert warning.acknowledged in str(warning)


def test_the_repositorys_own_environments_warn_of_what_nobody_else_can_decide() -> None:
    """Which networks reach Rancher is a first-day value without a placeholder that would work."""
    warnings = [(warning.environment, warning.code) for warning in load().warnings if not warning.acknowledged]
    assert warnings == [("dev", "open-rancher"), ("prod", "open-rancher")]


def test_placeholders_are_named_until_they_are_replaced(files: Files) -> None:
    left = placeholders_left(files.load().project, files.folder)
    assert [(problem.key, problem.value) for problem in left] == [
        ("account_id", "123456789012"),
        ("domain", "example.com"),
        ("email", "platform@example.com"),
        ("state_bucket", "vet-terraform-state-example"),
    ]
    assert [problem.line for problem in left] == [4, 6, 7, 8]
    assert "aws sts get-caller-identity" in left[0].remedy
    files.replace("_project.yaml", 'account_id: "123456789012"', 'account_id: "210987654321"')
    assert "account_id" not in [problem.key for problem in placeholders_left(files.load().project, files.folder)]
