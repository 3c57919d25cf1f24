"""The environment: production refuses what is unsafe, names the variable, and shows no traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Set

import pytest

from vetclinic import env

pytestmark = pytest.mark.no_database
ROOT = Path(__file__).resolve().parent.parent
SAFE = {
    "VET_ENV": "production",
    "PUBLIC_URL": "https://clinic.example.com",
    "SECRET_KEY": "a-key-of-the-tests-only-" * 3,
    "DATABASE_URL": "postgresql://u:p@db.invalid/vet",
}


def start(environment: Dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    for name in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL"):
        kept.pop(name, None)
    command = [sys.executable, "manage.py", *(arguments or ("check",))]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)


def test_a_safe_production_environment_starts_and_passes_djangos_own_check() -> None:
    done = start(SAFE, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:////tmp/x"}, "SQLite"),
        ({"DATABASE_URL": "mysql://db/vet"}, "DATABASE_URL"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"PUBLIC_URL": "http://clinic.example.com"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "clinic"}, "PUBLIC_URL"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/nonexistent"}, "SECRET_KEY_FILE"),
        ({"VET_ENV": "prod"}, "VET_ENV"),
        ({"OPENING_HOURS": "9-5"}, "OPENING_HOURS"),
        ({"TIME_ZONE": "Mars/Olympus"}, "TIME_ZONE"),
        ({"SLOT_MINUTES": "x"}, "SLOT_MINUTES"),
    ],
)
def test_an_unsafe_or_wrong_environment_is_refused_in_plain_words(change: Dict[str, str], named: str) -> None:
    done = start({**SAFE, **change})
    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_what_kubernetes_injects_for_services_is_not_read() -> None:
    """A Service `database` brings DATABASE_PORT=tcp://... and more; a pod should switch that off and may forget to."""
    links = {}
    for service in ("VET_APP", "DATABASE", "METRICS", "WEB", "POSTGRES", "EMAIL", "PUBLIC", "DRAIN", "API"):
        links[f"{service}_PORT"] = "tcp://10.43.0.1:80"
        links[f"{service}_SERVICE_HOST"], links[f"{service}_SERVICE_PORT"] = "10.43.0.1", "80"
        links[f"{service}_PORT_80_TCP"] = "tcp://10.43.0.1:80"
    assert start({**SAFE, **links}).returncode == 0
    endings = ("_PORT", "_HOST", "_TCP", "_PROTO", "_ADDR")
    assert not [name for name in variables() if name.endswith(endings)], "a Service could be called like that"


def variables() -> Set[str]:
    """The names that the code reads."""
    sources = [*(ROOT / "vetclinic").glob("*.py"), ROOT / "gunicorn.conf.py"]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text))


def test_every_variable_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(variables()) > 20, "the search found hardly anything"
    assert not [name for name in variables() if f"`{name}`" not in readme]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f" * 60 + "\n")
    environment = {**SAFE, "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    done = start(environment, "shell", "-c", "from django.conf import settings; print(len(settings.SECRET_KEY))")
    assert done.stdout.strip().endswith("60"), done.stderr


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "ssl", "tls"),
    [
        ("smtp://AKIA:BKq/3+x#y=@email-smtp.eu-central-1.amazonaws.com:587", "email-smtp.eu-central-1.amazonaws.com",
         587, "AKIA", "BKq/3+x#y=", False, True),
        ("smtp://me@clinic.example:p@ss:w/o?rd@mail.example:2525?tls=no", "mail.example", 2525, "me@clinic.example",
         "p@ss:w/o?rd", False, False),
        ("smtps://u:p%2Fq@mail.example", "mail.example", 465, "u", "p/q", True, False),
        ("smtp://u:p@mail.example:465", "mail.example", 465, "u", "p", True, False),
        ("smtp://u:p@mail.example:2465", "mail.example", 2465, "u", "p", True, False),
        ("smtp://10.0.3.7:25?tls=no", "10.0.3.7", 25, "", "", False, False),
        ("smtp://[fd00::7]:2587", "fd00::7", 2587, "", "", False, True),
    ],
)  # fmt: skip
def test_a_mail_server_is_read_as_its_provider_writes_it(
    url: str, host: str, port: int, user: str, password: str, ssl: bool, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    values = env.email("EMAIL_URL")
    assert values["EMAIL_ENABLED"] and not values["EMAIL_PROBLEM"]
    read = [values[f"EMAIL_{name}"] for name in ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_SSL", "USE_TLS")]
    assert read == [host, port, user, password, ssl, tls]


@pytest.mark.parametrize(
    "url",
    ["smtp://user:Secret/99", "mail.example", "smtp://u:Secret@host:port", "smtp://u:Secret@host:99999", "Secret"],
)
def test_a_wrong_mail_server_stops_no_pod_and_shows_no_piece_of_the_password(url: str) -> None:
    done = start({**SAFE, "EMAIL_URL": url}, "check")
    assert done.returncode == 0 and "Secret" not in done.stdout + done.stderr, "the clinic works without e-mail"
    result = start({**SAFE, "EMAIL_URL": url}, "send_reminders")
    assert result.returncode == 1 and "EMAIL_URL must look like" in result.stderr, result.stderr
    assert "Secret" not in result.stderr and "Traceback" not in result.stderr and "u:" not in result.stderr


@pytest.mark.parametrize("name", ["EMAIL_FROM", "EMAIL_REPLY_TO"])
def test_a_sender_is_an_address(name: str) -> None:
    assert start({**SAFE, name: "Hillside Vets <hello@clinic.example>"}, "check").returncode == 0
    done = start({**SAFE, name: "Hillside Vets"}, "check")
    assert done.returncode == 2 and name in done.stderr and "Traceback" not in done.stderr


def test_a_clinic_at_an_address_without_a_name_starts() -> None:
    assert start({"PUBLIC_URL": "http://127.0.0.1:8123"}, "check").returncode == 0, "as `make app` serves it"


@pytest.mark.parametrize(
    ("zone", "country", "language", "spoken"),
    [
        ("America/Chicago", "", "en", "en-us lb"), ("America/Toronto", "", "en", "en kg"),
        ("Europe/London", "", "en", "en-gb kg"), ("Australia/Sydney", "", "en", "en-gb kg"),
        ("UTC", "", "en", "en kg"), ("UTC", "NZ", "en", "en-gb kg"), ("UTC", "US", "en", "en-us lb"),
        ("America/Chicago", "", "en-gb", "en-gb lb"), ("America/Chicago", "", "", " lb"),
    ],
)  # fmt: skip
def test_english_has_the_dates_of_the_country(zone: str, country: str, language: str, spoken: str) -> None:
    """For `en` alone: 03/05 is 5 March in the USA, and 3 May in nearly every other country."""
    read = (
        "from django.conf import settings;"
        " print(f\"<{settings.CLINIC_LANGUAGE} {'lb' if settings.UNITS == 'us' else 'kg'}>\")"
    )
    done = start({**SAFE, "TIME_ZONE": zone, "COUNTRY": country, "LANGUAGE_CODE": language}, "shell", "-c", read)
    assert f"<{spoken}>" in done.stdout, done.stderr
