"""``make clinic``: the whole clinic on this machine: both stacks by the real Terraform, and its pages behind TLS, until Ctrl-C.

AWS is emulated. The Helm stack goes to the cluster that ``VET_TEST_KUBECONFIG`` names, and off it again. That cluster's nodes may be simulated
(kwok): then no container runs in it, and the application is a process of this machine with its demonstration clinic, which stands behind the
Ingress that the cluster has. What stands in for what is said at the end.
"""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from operations.application.smoke import Address, visit
from operations.devtools import front
from operations.devtools.emulator import REPOSITORY, local_cluster
from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.certificates import Authority
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from operations.devtools.local import wait_for_the_end
from operations.shared.console import terminal, timed, wait_until
from operations.shared.errors import Failure
from settings import Settings, load
from settings.documents import merged
from settings.loader import PROJECT
from settings.names import STATE_STACK, Names, helm_stack, infrastructure_stack

ENVIRONMENT = "dev"
DOMAIN = "vet.localhost"
"""Browsers lead every name below ``localhost`` to this machine (RFC 6761, 6.3); nothing has to be written into a hosts file."""

PORT = 8443
APPLICATION = REPOSITORY / "vet_app"
LOG_IN = ("vet", "willow-lane-demo")
"""The demonstration clinic's (``vet_app/clinic/demo/data.py``), which production refuses."""
TIMEOUT_SECONDS = 60

console = terminal(whole_lines=True)


def run(*, once: bool = False) -> None:
    """Bring everything up, look at a record as a member of staff would, and wait.

    :param once: end after that look instead of waiting.

    Raises:
        Failure: the cluster, charts, Terraform or a provider are missing, or something does not come up; the text says what to do.
    """
    started = time.monotonic()
    cluster = local_cluster.kubernetes()
    if not cluster.is_simulated:
        raise Failure(
            "the nodes of this cluster run pods, for which the application's image would have to be in them: make test-pods is for such a cluster.\n"
            f"Name one whose nodes are simulated (kwok: kwokctl create cluster) in {local_cluster.KUBECONFIG}"
        )
    with ExitStack() as keep:
        folder = Path(keep.enter_context(tempfile.TemporaryDirectory(prefix="vet-clinic-")))
        charts = keep.enter_context(local_cluster.mirror(_made(folder / "charts")))
        settings = _settings(folder, charts)
        environment = settings.environment(ENVIRONMENT)
        aws_account = keep.enter_context(account(folder, settings))
        console.print(f"AWS is simulated at {aws_account.emulator.url}")
        keep.enter_context(cluster.without_webhooks())
        _infrastructure(aws_account, settings, cluster)
        keep.enter_context(_platform(aws_account, cluster))
        host = environment.hosts.application
        port = keep.enter_context(_application(folder, host))
        authority = Authority(folder)
        leads = front.routes(cluster)
        if host not in leads:
            raise Failure(f"no Ingress in the cluster has the host {host}: {leads}")
        try:
            at = keep.enter_context(front.front({host: port}, authority.certificate("clinic", [host]), PORT))
        except OSError as error:
            raise Failure(
                f"something listens on 127.0.0.1:{PORT} of this machine already: end it, and run the same command again"
            ) from error
        summary = visit(Address(f"{host}:{PORT}", f"127.0.0.1:{at}", authority.file), *LOG_IN)
        console.print(f"[green]ready[/] after {time.monotonic() - started:.0f} s: {summary}\n")
        _tell(host, leads[host], authority, cluster)
        if not once:
            wait_for_the_end()
    console.print("gone: pages, objects in the cluster, emulator and folder")


def _settings(folder: Path, charts: str) -> Settings:
    changes = {"charts": {"mirror": charts}, "application": {"image": local_cluster.IMAGE}}
    files = local_cluster.environments(folder / "environments", ENVIRONMENT, changes)
    project = yaml.safe_load((files / PROJECT).read_text())
    (files / PROJECT).write_text(yaml.safe_dump(merged(project, {"domain": DOMAIN})))
    return load(files)


def _infrastructure(aws_account: Account, settings: Settings, cluster: Kubernetes) -> None:
    timed(console, "make state: bucket for all state, and DNS zones", aws_account.make_state)
    aws_account.synthesise(settings)  # make state works by the repository's own settings
    timed(console, "the zones of this machine's names", aws_account.stack(STATE_STACK).apply)
    stack = aws_account.stack(infrastructure_stack(ENVIRONMENT))
    timed(console, f"terraform apply {stack.name}", stack.apply)
    local_cluster.simulate_servers(
        aws_account.emulator, Names(settings.project, settings.environment(ENVIRONMENT)), cluster
    )


@contextmanager
def _platform(aws_account: Account, cluster: Kubernetes) -> Iterator[None]:
    """The Helm stack on the cluster; whatever of it is there goes at the end."""
    planned = aws_account.stack(helm_stack(ENVIRONMENT))
    stack = Stack(planned.folder, {**planned.environment, **local_cluster.terraform_variables(cluster)})
    stack.run("init", "-input=false")
    try:
        timed(console, f"terraform apply {stack.name}", lambda: stack.run("apply", "-auto-approve", "-input=false"))
        yield
    finally:
        timed(console, f"terraform destroy {stack.name}", lambda: stack.run("destroy", "-auto-approve", "-input=false"))


@contextmanager
def _application(folder: Path, host: str) -> Iterator[int]:
    """The application as a process, with the demonstration clinic in a database of its own; yields its port."""
    timed(
        console,
        "the application's packages",
        lambda: _checked(["make", "--silent", "-C", str(APPLICATION), "setup"], os.environ),
    )
    port = _free_port()
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "VAR_DIR": str(_made(folder / "application")),
        "PUBLIC_URL": f"https://{host}:{PORT}",
        "TRUSTED_PROXIES": "1",
    }
    python = str(APPLICATION / ".venv-app/bin/python")
    timed(
        console,
        "its database",
        lambda: _checked([python, "manage.py", "migrate_locked", "--verbosity", "0"], variables),
    )
    timed(console, "the demonstration clinic", lambda: _checked([python, "manage.py", "demo"], variables))
    log = (folder / "application.log").open("w")
    command = [python, "manage.py", "runserver", "--insecure", "--noreload", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=APPLICATION, env=variables, stdout=log, stderr=log, start_new_session=True)
    try:
        _await(process, port, folder / "application.log")
        yield port
    finally:
        process.terminate()
        process.wait()
        log.close()


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    def look() -> bool | None:
        if process.poll() is not None:
            return False
        try:
            urlopen(f"http://127.0.0.1:{port}/livez", timeout=5)
        except (URLError, OSError):
            return None
        return True

    if not wait_until(look, seconds=TIMEOUT_SECONDS, poll=[0.3]):
        raise Failure(f"the application does not answer:\n{log.read_text()[-2000:]}")


def _tell(host: str, service: str, authority: Authority, cluster: Kubernetes) -> None:
    console.print(f"[bold]https://{host}:{PORT}/[/]   log in as {LOG_IN[0]}, password {LOG_IN[1]}")
    console.print(f"The certificate is signed by {authority.file}: a browser that does not know it asks once.")
    console.print(f"Objects: kubectl --kubeconfig {cluster.kubeconfig} get pods -A")
    console.print(
        f"\nPlayed here: AWS by an emulator; nodes and pods by the cluster; the load balancer and the ingress controller by a proxy that follows\n"
        f"the cluster's Ingress to {service}; the pods behind it by a process of this machine, with SQLite."
    )


def _checked(command: list[str], variables: "os._Environ[str] | dict[str, str]") -> None:
    answer = subprocess.run(command, cwd=APPLICATION, env=dict(variables), capture_output=True, text=True)
    if answer.returncode:
        raise Failure(
            f"{' '.join(command)} ended with {answer.returncode}:\n{answer.stdout[-1000:]}{answer.stderr[-2000:]}"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
