"""The container: its file, and that the clinic runs as it will there, as nobody in particular on a read-only disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Dict, List

import pytest
from django.conf import settings

from tests.runtime.servers import HOST, ROOT, free_port, manage, production, until

pytestmark = pytest.mark.no_database
FILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UID = "10001"
# What a pod sees: the code and the interpreter, nothing to write to but /tmp. $1 code, $2 environment, $3 static files,
# $4 the interpreter's folder, which may lie where only root can go.
POD = """
mount -t tmpfs tmpfs /mnt
for name in app venv static base; do mkdir /mnt/$name; done
mount --bind "$1" /mnt/app; mount --bind "$2" /mnt/venv; mount --bind "$3" /mnt/static
if ! setpriv --reuid $UID --regid $UID --clear-groups test -x "$4/bin/python3"; then
  mount --bind "$4" /mnt/base
  top=/$(echo "$4" | cut -d/ -f2); mount -t tmpfs -o mode=755 tmpfs "$top"; mkdir -p "$4"; mount --move /mnt/base "$4"
fi
mount -t tmpfs -o mode=1777 tmpfs /tmp
for place in / /mnt/app /mnt/venv /mnt/static; do mount -o remount,bind,ro $place; done
cd /mnt/app
exec setpriv --reuid $UID --regid $UID --clear-groups /mnt/venv/bin/python -m gunicorn
"""


def instructions(name: str) -> List[str]:
    return re.findall(rf"^{name} (.*)$", FILE, flags=re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint comes with the environment of Python 3.10 or newer on Linux: run `make test`")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_file_keeps_its_promises() -> None:
    chosen = [each for each in instructions("ARG") if not each.startswith("DEBIAN_FRONTEND=")]  # of the build alone
    assert chosen == ["PYTHON=3.9"], "the interpreter is the one argument"
    assert {base.split(" ")[0] for base in instructions("FROM")} == {"python:${PYTHON}-slim-bookworm"}
    assert instructions("USER") == [f"{UID}:{UID}"], "a number, so that Kubernetes sees that it is not root"
    assert instructions("CMD") == ['["gunicorn"]'], "the exec form, so that SIGTERM arrives"
    assert "VET_ENV=production" in FILE
    assert not re.search(r"\b(gcc|build-essential|libpq-dev)\b", FILE), "no compilers"


def test_the_image_gets_all_that_runs_and_none_of_the_tests() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    ours = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
    missing = (ours | {"vetclinic", "locale", "gunicorn.conf.py", "manage.py", "tools/image.sh"}) - kept
    assert not missing, f".dockerignore leaves out {missing}"
    assert not {"tests", "load", "."} & kept


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"),
    reason="only root can make the pod's file system: sudo -E make test (on Linux, with util-linux)",
)
def test_it_runs_as_nobody_in_particular_on_a_read_only_disk(tmp_path: Path) -> None:
    database = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    environment: Dict[str, str] = production(database, tmp_path)
    assert manage(environment, "collectstatic", "--no-input").returncode == 0
    tmp_path.chmod(0o755)
    port, metrics = free_port(), free_port()
    environment.update(
        STATIC_ROOT="/mnt/static", HOME="/tmp", UID=UID, PYTHONDONTWRITEBYTECODE="1",  # noqa: S108 -- as in the image
        WEB_BIND=f"127.0.0.1:{port}", METRICS_BIND=f"127.0.0.1:{metrics}",
    )  # fmt: skip
    places = [str(ROOT), sys.prefix, str(tmp_path), sys.base_prefix]
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", POD, "sh", *places]
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:

        def ask(on: int, path: str) -> int:
            assert process.poll() is None, log.read_text()
            connection: Any = HTTPConnection("127.0.0.1", on, timeout=10)
            try:
                connection.request("GET", path, headers={"Host": HOST, "X-Forwarded-Proto": "https"})
                return int(connection.getresponse().status)
            except OSError:
                return 0

        until(lambda: ask(port, "/livez") == 200, "the clinic must live")
        # The page names the clinic, which the database knows; its templates and static files were read, or it were 500.
        assert ask(port, "/login/") == 503
        until(lambda: ask(metrics, "/metrics") == 200, "there must be measurements on a port of their own")
        assert f"Uid:\t{UID}" in Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        process.wait(60)
