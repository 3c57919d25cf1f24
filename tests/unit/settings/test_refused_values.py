"""Values that AWS, Terraform or RKE2 would refuse, evaluate or ignore: refused before anything is made, with place, rule and remedy."""

import pytest
import yaml

from settings.documents import merged
from tests.unit.settings.conftest import Files

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnuLIqriBtSzn1ayt2WvEXUextsV/h1tggansAHo0Mg ops"
EXPRESSION = '${file("/etc/passwd")}'

WRONG = {
    "cluster.snapshots.schedule": ["0 3 * * 7", "0 25 * * *", "*/0 * * * *", "- - - - -", "0 0 31 2 *"],
    "application.clinic.name": ["two\nlines", "bell\x07"],
    "application.clinic.language": [EXPRESSION],
    "backups.database_clone_at": ["2999-01-01T00:00:00Z", "2026-02-31T00:00:00Z", "2026-11-24T09:30:00", EXPRESSION],
    "application.clinic.time_zone": ["localtime", "posixrules", "Factory", "right/Europe/Berlin", "Europe/Nowhere"],
    "application.requests.cpu": ["0m", "0", "100000000m"],
    "application.requests.memory": ["0Mi", "1Ki", "999999999999Ti"],
    "load_balancer.health_check.path": ["/ping${path.module}", "/%{if}"],
    "load_balancer.target_port": [22, 6443, 8443],
    "charts.mirror": ["https://charts.example.com/${terraform.workspace}"],
    "image.name": ["", "*", "ubuntu-${terraform.workspace}"],
    "access.ssh.public_key": [
        "ssh-ed25519 AAAA",
        "ssh-ed25519 not*base64 ops",
        f"{KEY}\n{KEY}",
        KEY.replace("ssh-ed25519", "ssh-rsa"),
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB ops",
    ],
    "access.principals.read": [
        ["arn:aws:iam::123456789012:role/*"],
        ["arn:aws:iam::123456789012:role/${aws:username}"],
    ],
    "access.operators": [["*"], ["arn:aws:iam::123456789012:root"]],
    "access.api.allowed_cidrs": [
        ["203.0.113.0/24", "203.0.113.0/24"],
        [f"203.0.{number}.0/24" for number in range(61)],
    ],
    "access.ssh.allowed_cidrs": [["203.0.113.0/24", "203.0.113.0/24"]],
    "budget.alert_percent": [[80, 80]],
    "schedule.time_zone": ["localtime", "Factory"],
    "network.cidr": ["127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "240.0.0.0/16", "0.0.0.0/16"],
    "cluster.pod_cidr": ["169.254.0.0/16", "127.0.0.0/16", "224.0.0.0/14"],
    "cluster.service_cidr": ["169.254.0.0/16", "240.0.0.0/16"],
    "tags": [{"vet:cluster": "vet-prod"}, {"aws:owner": "me"}, {"Snapshot": "vet-dev"}, {"Team": EXPRESSION}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_with_its_place(key: str, value: object, files: Files) -> None:
    setting: object = value
    for part in reversed(key.split(".")):
        setting = {part: setting}
    file = files.folder / "dev.yaml"
    ssh = {"access": {"ssh": {"public_key": KEY}}} if key == "access.ssh.allowed_cidrs" else {}
    file.write_text(yaml.safe_dump(merged(merged(yaml.safe_load(file.read_text()), ssh), setting)))
    problems = [problem for problem in files.problems() if problem.key.startswith(key)]
    assert problems, f"{key} = {value!r} was refused for another reason: {files.problems()}"
    for problem in problems:
        assert problem.file.endswith("dev.yaml")
        assert problem.rule, problem
        assert problem.remedy, problem


@pytest.mark.parametrize(
    ("prefix", "environment"),
    [
        ("internal", "dev"),
        ("sg", "dev"),
        ("a--b", "dev"),
        ("xn--a", "dev"),
        ("sthree", "dev"),
        ("aws", "dev"),
        ("ssm", "dev"),
        ("vet", "github"),
    ],
)
def test_names_that_aws_keeps_for_itself_are_refused(prefix: str, environment: str, files: Files) -> None:
    (files.folder / "dev.yaml").rename(files.folder / f"{environment}.yaml")
    project = files.folder / "_project.yaml"
    project.write_text(yaml.safe_dump({**yaml.safe_load(project.read_text()), "name_prefix": prefix}))
    problems = files.problems()
    assert any(problem.file.endswith(f"{environment}.yaml") and problem.key == "name" for problem in problems), problems


@pytest.mark.parametrize(
    "name",
    [
        "xn--clinic",
        "sthree-clinic",
        "amzn-s3-demo-clinic",
        "clinic-s3alias",
        "clinic--ol-s3",
        "clinic--x-s3",
        "clinic--table-s3",
    ],
)
def test_a_state_bucket_that_s3_keeps_for_itself_is_refused(name: str, files: Files) -> None:
    project = files.folder / "_project.yaml"
    project.write_text(yaml.safe_dump({**yaml.safe_load(project.read_text()), "state_bucket": name}))
    assert files.only().key == "state_bucket"


def test_an_alarm_waits_longer_than_the_time_between_two_snapshots(files: Files) -> None:
    text = "alarms: {enabled: true, snapshot_hours: 13}\ncluster: {snapshots: {schedule: '0 3 * * *'}}\n"
    files.replace("prod.yaml", "alarms: {enabled: true}\n", text)
    problem = files.only()
    assert (problem.key, "24 hours" in problem.rule) == ("alarms.snapshot_hours", True)


@pytest.mark.parametrize("text", ["Dr. O'Neil & Söhne", "100 % care: cats, dogs; $5 {off}", "Клиника №1"])
def test_a_clinic_may_be_called_as_it_is(text: str, files: Files) -> None:
    file = files.folder / "dev.yaml"
    file.write_text(
        yaml.safe_dump(merged(yaml.safe_load(file.read_text()), {"application": {"clinic": {"name": text}}}))
    )
    assert files.load().environment("dev").application.clinic.name == text
