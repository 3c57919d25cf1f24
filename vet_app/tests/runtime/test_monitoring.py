"""Prometheus asks a real replica, its alert goes through Alertmanager, and a mail arrives.

The programs are real, and the rules, the dashboard and the way to people are the platform's own. Kubernetes' part,
which finds replicas and hands passwords over, is stood in for.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socketserver
import ssl
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.runtime.conftest import Clinic
from tests.runtime.servers import PATIENCE, ROOT, Replica, free_port, start, until

yaml = pytest.importorskip("yaml", reason="PyYAML comes with the tools of Python 3.10 and later: make test HALF=second")

pytestmark = pytest.mark.postgresql

CHART = ROOT.parent / "helm-values/charts/clinic-monitoring"
PROGRAMS = ("prometheus", "prometheus-alertmanager", "promtool", "amtool", "openssl")
PASSWORD = "of-the-secret-alert-receivers"


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mails by TLS from who knows the password."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.mails: List[str] = []


class Conversation(socketserver.BaseRequestHandler):
    """As much of SMTP as Alertmanager speaks (RFC 5321, 3207 and 4954)."""

    server: MailServer

    def handle(self) -> None:
        """Until the other side hangs up. A mail before TLS or without the password is refused."""
        connection, known = self.request, False
        lines = connection.makefile("rb")
        connection.sendall(b"220 ready\r\n")
        while line := lines.readline():  # of the other connection, once there is TLS
            word = line.strip().split(b" ")[0].upper()
            secure = isinstance(connection, ssl.SSLSocket)
            if word == b"EHLO":
                connection.sendall(b"250-ready\r\n250 AUTH PLAIN\r\n" if secure else b"250-ready\r\n250 STARTTLS\r\n")
            elif word == b"STARTTLS":
                connection.sendall(b"220 go on\r\n")
                connection = self.server.context.wrap_socket(connection, server_side=True)
                lines = connection.makefile("rb")
            elif word == b"AUTH":
                known = base64.b64decode(line.split()[2]).split(b"\0")[1:] == [b"alerts", PASSWORD.encode()]
                connection.sendall(b"235 known\r\n" if known and secure else b"535 unknown\r\n")
            elif word == b"DATA":
                connection.sendall(b"354 go on\r\n")
                self.server.mails.append(b"".join(iter(lines.readline, b".\r\n")).decode())
                connection.sendall(b"250 taken\r\n")
            elif word == b"MAIL" and not (known and secure):
                connection.sendall(b"530 who are you\r\n")
            else:
                connection.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")


def rendered(folder: Path, server: str) -> Dict[str, Any]:
    """Kinds of the platform's chart as Helm makes them: the last object of each."""
    helm = shutil.which("helm", path=str(ROOT.parent / ".tools")) or shutil.which("helm")
    if not helm:
        pytest.skip("needs Helm 3: run make test-unit at the top of the repository, or put helm on PATH")
    smtp = {"server": server, "sender": "alerts@clinic.example", "username": "alerts"}
    given = {"runbooks": "docs/runbooks", "alerts": {"emails": ["oncall@clinic.example"], "smtp": smtp}}
    values = folder / "values.yaml"
    values.write_text(json.dumps(given))
    done = subprocess.run([helm, "template", "m", CHART, "-f", values], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {each["kind"]: each for each in yaml.safe_load_all(done.stdout) if each}


def snake(value: Any) -> Any:
    """An AlertmanagerConfig in Alertmanager's own words, as Prometheus' operator writes it, passwords put in."""
    if isinstance(value, list):
        return [snake(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"name", "key"}:
        return PASSWORD
    if "matchType" in value or value.keys() == {"name", "value"}:
        return f'{value["name"]}{value.get("matchType", "=")}"{value["value"]}"'
    names = {"sourceMatch": "source_matchers", "targetMatch": "target_matchers", "requireTLS": "require_tls"}
    return {names.get(key) or re.sub("([A-Z])", r"_\1", key).lower(): snake(each) for key, each in value.items()}


@contextmanager
def running(command: List[str], log: Path, **more: Any) -> Iterator[None]:
    """A program, ended afterwards."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **more)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def asked(port: int, query: str) -> List[Any]:
    """What Prometheus answers; fails where it does not understand."""
    with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': query})}", timeout=10) as answer:
        result: List[Any] = json.load(answer)["data"]["result"]
    return result


class Watch:
    """Prometheus and Alertmanager on a replica, and the mails that came."""

    def __init__(self, replica: Replica, prometheus: int, mails: MailServer, objects: Dict[str, Any]) -> None:
        self.replica, self.prometheus, self.mails, self.objects = replica, prometheus, mails, objects

    def about(self, alert: str) -> List[str]:
        """Mails whose subject says that it fires. Others come as well: nothing but the application is measured here."""
        return [mail for mail in self.mails.mails if re.search(rf"^Subject: .*FIRING:1.*{alert}", mail, re.M)]


@pytest.fixture
def watch(production_clinic: Clinic, tmp_path: Path) -> Iterator[Watch]:
    """All of it, once Prometheus has asked the replica."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing or not CHART.is_dir():
        pytest.skip(
            f"{', '.join(missing) or CHART} is missing. On Debian: apt-get install prometheus prometheus-alertmanager"
        )
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        *subject,
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True)
    replica = start(production_clinic.environment, tmp_path)
    prometheus, alertmanager = free_port(), free_port()
    with MailServer(certificate, key) as mails:
        threading.Thread(target=mails.serve_forever, daemon=True).start()
        objects = rendered(tmp_path, f"localhost:{mails.server_address[1]}")
        _configure(tmp_path, objects, replica, alertmanager)
        stored = f"--storage.tsdb.path={tmp_path}/tsdb"
        one = [
            "prometheus",
            f"--config.file={tmp_path}/prometheus.yml",
            stored,
            f"--web.listen-address=127.0.0.1:{prometheus}",
        ]
        two = ["prometheus-alertmanager", f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/am",
               f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address="]  # fmt: skip
        trusted = {**production_clinic.environment, "SSL_CERT_FILE": str(certificate)}
        try:
            until(replica.ready, "the replica must be ready")
            with running(two, tmp_path / "alertmanager.log", env=trusted), running(one, tmp_path / "prometheus.log"):
                until(lambda: _up(prometheus), f"Prometheus must see it: {(tmp_path / 'prometheus.log').read_text()}")
                yield Watch(replica, prometheus, mails, objects)
        finally:
            replica.process.kill()
            replica.process.wait()
            mails.shutdown()


def _up(prometheus: int) -> bool:
    try:
        return any(each["value"][1] == "1" for each in asked(prometheus, 'up{job="clinic"}'))
    except OSError:
        return False


def _configure(folder: Path, objects: Dict[str, Any], replica: Replica, alertmanager: int) -> None:
    """The files of both programs. Rules wait seconds in the place of minutes; nothing else of them is changed.

    A measurement may take as long as there is between two: a second is not enough for a machine that has other work.
    """
    rules = re.sub(r"\bfor: \w+", "for: 10s", yaml.safe_dump(objects["PrometheusRule"]["spec"]))
    (folder / "rules.yml").write_text(rules)
    spec = snake(objects["AlertmanagerConfig"]["spec"])
    spec["route"].update(group_wait="1s", group_interval="1s")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(spec))
    configuration = {
        "global": {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [{"job_name": "clinic", "static_configs": [{"targets": [f"127.0.0.1:{replica.metrics}"]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    for command in (
        ["promtool", "check", "config", str(folder / "prometheus.yml")],
        ["amtool", "check-config", str(folder / "alertmanager.yml")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_clinic_that_is_down_is_written_to_people_and_its_dashboard_asks_what_there_is(watch: Watch) -> None:
    until(lambda: _computed(watch), "the rules must compute the time to answer")
    _ask_the_dashboard(watch)
    until(lambda: not _fires(watch), "no alert may say that a clinic is down which answers")
    watch.mails.mails.clear()  # a machine that is busy answers too late for seconds, and has its mail of that

    os.killpg(watch.replica.process.pid, signal.SIGKILL)  # its worker as well, which measures
    until(lambda: bool(watch.about("ClinicDown")), "a mail must come")
    mail = watch.about("ClinicDown")[0]
    assert "To: oncall@clinic.example" in mail, mail
    assert "From: alerts@clinic.example" in mail, mail
    assert "docs/runbooks/monitoring.md#clinicdown" in mail.replace("=\r\n", ""), "the mail names no runbook"


def _fires(watch: Watch) -> bool:
    return bool(asked(watch.prometheus, 'ALERTS{alertname="ClinicDown", alertstate="firing"}'))


def _computed(watch: Watch) -> bool:
    """Whether there were enough measurements to compute with; people go on asking meanwhile."""
    for path in ("/accounts/log-in/", "/nowhere"):
        watch.replica.ask(path)
    return bool(asked(watch.prometheus, "clinic:seconds:p95 >= 0"))


def _ask_the_dashboard(watch: Watch) -> None:
    """Prometheus understands every query; those about the application have an answer."""
    (text,) = watch.objects["ConfigMap"]["data"].values()
    queries = [target["expr"] for panel in json.loads(text)["panels"] for target in panel.get("targets", [])]
    of_the_application = [query for query in queries if re.search(r"\bvet_http|clinic:", query)]
    assert len(queries) > 20 and len(of_the_application) >= 5, queries
    until(lambda: bool(asked(watch.prometheus, "clinic:errors:ratio5m")), "the share of errors must be computed")
    for query in queries:
        result = asked(watch.prometheus, query)
        assert result or query not in of_the_application, f"the dashboard shows nothing for {query}"
