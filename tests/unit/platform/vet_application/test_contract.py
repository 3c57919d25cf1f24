"""What the platform tells the application is what the application asks for: read from ``vet_app/`` as it stands."""

import re
from pathlib import Path

import pytest
import yaml

from modules.platform.vet_application import configuration, labels, pod
from modules.platform.vet_application.configuration import variables
from modules.platform.vet_application.service import LARGEST_BODY
from settings.helm_values import values
from settings.release_sets import SETS
from settings.rules import workloads
from settings.web_identity import DATABASE
from tests.unit.platform.vet_application.conftest import Synthesise, environment

APPLICATION = Path(__file__).parents[4] / "vet_app"

LIBPQ = {"PGSSLMODE", "PGSSLROOTCERT"}
"""What PostgreSQL's own library reads (postgresql.org: libpq, environment variables)."""


def source(path: str) -> str:
    return (APPLICATION / path).read_text()


def code() -> str:
    files = [path for path in APPLICATION.rglob("*.py") if not {"tests", ".venv-app"} & set(path.parts)]
    return "\n".join(path.read_text() for path in files if not any(part.startswith(".") for part in path.parts))


def test_every_variable_is_one_that_the_application_reads() -> None:
    names = {name.removesuffix("_FILE") for name in variables(environment("prod", email_reminders=True))} - LIBPQ
    text = code()
    unread = [name for name in names if f'"{name}"' not in text]
    assert len(names) > 15
    assert not unread, f"vet_app reads none of {unread}"


def test_what_the_application_decides_by_itself_is_told_where_it_is_set() -> None:
    chosen = {"COUNTRY": "DE", "UNITS": "metric", "ATTACHMENTS_QUOTA_MB": "4096"}
    clinic = environment("prod").application.clinic.model_copy(update={"country": "DE", "units": "metric"})
    values = variables(environment("prod", clinic=clinic, attachments_quota_mb=4096))
    assert values.items() >= chosen.items()
    assert not chosen.keys() & variables(environment("prod")).keys(), "unset, nothing changes"


def test_everything_that_must_be_told_in_production_is() -> None:
    values = variables(environment("prod"))
    assert values["VET_ENV"] == "production"
    assert values["PUBLIC_URL"].startswith("https://"), "the application refuses http"
    assert {"SECRET_KEY_FILE", "PGHOST", "PGPASSWORD_FILE"} <= set(values), "the application refuses to start without"


def test_no_variable_is_given_twice() -> None:
    """The application refuses a value together with its ``_FILE``."""
    values = variables(environment("prod", email_reminders=True))
    assert not {name for name in values if f"{name}_FILE" in values}


def test_ports_and_probes_are_those_that_the_application_serves() -> None:
    gunicorn, health = source("gunicorn.conf.py"), source("vetclinic/health.py")
    assert '"WEB_BIND"' in gunicorn
    assert f'"METRICS_BIND", "0.0.0.0:{configuration.METRICS_PORT}"' in gunicorn
    assert '"/livez"' in health
    assert '"/readyz"' in health
    exposed = re.search(r"^EXPOSE (.*)$", source("Dockerfile"), re.MULTILINE)
    assert exposed
    assert exposed[1].split() == [str(environment("dev").application.container_port), str(configuration.METRICS_PORT)]


def test_the_user_and_python_are_the_image_s() -> None:
    dockerfile = source("Dockerfile")
    assert f"USER {pod.USER}:{pod.USER}" in dockerfile
    assert "ARG PYTHON=" in dockerfile, "make push gives the version by this argument"
    assert environment("dev").application.python_version == "3.9", (
        'architecture.txt: "Container: Python 3.9 with vet_app code"'
    )


def test_a_pod_gets_the_time_that_the_application_takes_to_end() -> None:
    draining = source("vetclinic/draining.py")
    longest = re.search(r"^LONGEST_REQUEST = (\d+)$", draining, re.MULTILINE)
    assert longest
    assert int(longest[1]) == configuration.LONGEST_REQUEST_SECONDS
    # gunicorn's own patience is drain plus request after the drain has ended
    assert configuration.DRAIN_SECONDS + configuration.LONGEST_REQUEST_SECONDS + pod.SPARE_SECONDS >= 45


@pytest.mark.parametrize("command", ["migrate_locked", "send_reminders"])
def test_tasks_are_commands_of_the_application(command: str) -> None:
    assert (APPLICATION / f"clinic/management/commands/{command}.py").exists()


def test_uploads_pass_the_ingress() -> None:
    """nginx answers 413 before the application can say what is too large."""
    limit = re.search(r"^DATA_UPLOAD_MAX_MEMORY_SIZE = ([\d_]+)", source("vetclinic/settings.py"), re.MULTILINE)
    assert limit
    assert int(LARGEST_BODY.removesuffix("m")) * 1024**2 > int(limit[1])


def test_threads_are_what_the_rule_about_connections_counts() -> None:
    assert f'"WEB_THREADS", {workloads.THREADS},' in source("gunicorn.conf.py")


@pytest.mark.parametrize("set_name", SETS)
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_names_and_connections_are_the_database_chart_s(set_name: str, name: str) -> None:
    given = values("database", set_name, environment(name).values.get("database", {}))
    chart = yaml.safe_load((APPLICATION.parent / "helm-values/charts/database/values.yaml").read_text())
    assert int(given["parameters"]["max_connections"]) == workloads.DATABASE_CONNECTIONS
    assert given.get("name", chart["name"]) == DATABASE
    template = (APPLICATION.parent / "helm-values/charts/database/templates/cluster.yaml").read_text()
    assert f"database: {variables(environment(name))['PGDATABASE']}" in template


def test_keys_are_those_of_the_secret_that_is_kept() -> None:
    given = values("vet-app-secret", "documented")
    assert given["name"] == labels.SECRET
    wanted = {name for name, value in variables(environment("prod")).items() if "/application/" in value}
    assert {name.removesuffix("_FILE") for name in wanted} == set(given["keys"])
    assert min(given["keys"].values()) >= 50, "the application refuses a shorter key"


SYNC_SECONDS = 4
"""ingress-nginx takes over changed endpoints three times in ten seconds at most (its flag ``sync-rate-limit``, 0.3 a second)."""

LOST_ENDPOINT_SECONDS = 2
"""From a pod's end to its endpoint's removal in every proxy, on a busy API (kube-proxy: ``minSyncPeriod`` 1 s)."""

PROXY_IDLE_SECONDS = 60
"""How long the ingress controller keeps an idle connection to a pod (its ``upstream-keepalive-timeout``)."""


def test_a_pod_serves_on_until_every_proxy_has_noticed_its_end() -> None:
    assert configuration.DRAIN_SECONDS >= SYNC_SECONDS + LOST_ENDPOINT_SECONDS, "requests would meet a closed port"


def test_it_is_the_proxy_that_closes_idle_connections_to_a_pod() -> None:
    kept = re.search(r"^keepalive = (\d+)$", source("gunicorn.conf.py"), re.MULTILINE)
    assert kept
    assert int(kept[1]) > PROXY_IDLE_SECONDS, "a request could meet a connection which the pod is closing"


def test_words_for_people_reach_the_application_as_they_are(synthesise: Synthesise) -> None:
    """Terraform reads ``$${`` as ``${`` (Terraform language: strings and templates), so that nothing is evaluated."""
    clinic = environment("dev").application.clinic.model_copy(update={"name": 'Paws ${file("/etc/passwd")} 100 %{x}'})
    (block,) = synthesise("dev", clinic=clinic).resources("kubernetes_config_map_v1").values()
    assert block["data"]["CLINIC_NAME"] == 'Paws $${file("/etc/passwd")} 100 %%{x}'
