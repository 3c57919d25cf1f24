"""The clinic as it runs in production, started for a test: gunicorn on PostgreSQL, and nginx with TLS in front."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

ROOT = Path(__file__).resolve().parents[2]
HOST = "clinic.example.com"
PATIENCE = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def production(database: Dict[str, str], static: Path) -> Dict[str, str]:
    """The environment of a replica."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PGHOST", "PGUSER", "PGPORT") if name in os.environ
    }
    return {
        **kept,
        **database,
        "VET_ENV": "production",
        "PUBLIC_URL": f"https://{HOST}",
        "SECRET_KEY": "a-key-of-the-tests-only-" * 3,
        "STATIC_ROOT": str(static),
        "DRAIN_SECONDS": "3",
        "PYTHONWARNINGS": "ignore",
    }


def manage(environment: Dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a management command."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails with `what` after a minute."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} within {PATIENCE} seconds"
        time.sleep(0.05)


@dataclass
class Replica:
    """One gunicorn."""

    port: int
    metrics: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, path: str) -> int:
        """The status of a request straight to the replica, 0 where nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def ready(self) -> bool:
        """Whether a proxy may send requests here; fails when the process has ended."""
        assert self.process.poll() is None, self.log.read_text()
        return self.ask("/readyz") == 200

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


def start(environment: Dict[str, str], folder: Path, port: int = 0, *, prefix: Sequence[str] = ()) -> Replica:
    """Start a replica, by way of the command `prefix` where one is given; it is not ready yet."""
    port, metrics = port or free_port(), free_port()
    bound = {**environment, "WEB_BIND": f"127.0.0.1:{port}", "METRICS_BIND": f"127.0.0.1:{metrics}"}
    log = folder / f"replica-{port}.log"
    with log.open("ab") as out:
        command = [*prefix, sys.executable, "-m", "gunicorn"]
        process = subprocess.Popen(command, cwd=ROOT, env=bound, stdout=out, stderr=out, start_new_session=True)
    return Replica(port, metrics, process, log)


NGINX = """
daemon off; error_log stderr; pid {folder}/nginx.pid; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream clinic {{ {servers} keepalive 8; }}
  server {{
    listen 127.0.0.1:{port} ssl; server_name {host};
    ssl_certificate {folder}/tls.pem; ssl_certificate_key {folder}/tls.key;
    location / {{
      proxy_pass http://clinic; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      add_header X-Replica $upstream_addr always;
    }}
  }}
}}
"""


@contextmanager
def tls_proxy(replicas: List[Replica], folder: Path) -> Iterator[int]:
    """Nginx with a certificate of its own in front of the replicas; gives its port.

    It takes turns and, as an ingress does, tries the other replica where one refuses the connection.
    """
    port = free_port()
    key, certificate = folder / "tls.key", folder / "tls.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    servers = " ".join(f"server 127.0.0.1:{replica.port} max_fails=0;" for replica in replicas)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, servers=servers, port=port, host=HOST))
    nginx: Any = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    log = folder / "nginx.log"
    with log.open("wb") as out:
        process = subprocess.Popen([nginx, "-p", folder, "-c", configuration], stdout=out, stderr=out)
    try:
        until(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), f"nginx must listen: {log.read_text()}")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
