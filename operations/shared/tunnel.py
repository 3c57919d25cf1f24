"""The way to a private Kubernetes API for as long as a command runs: Session Manager's port forwarding."""

import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from operations.shared.console import wait_until
from operations.shared.errors import Failure
from operations.shared.kubeconfig import TUNNEL_PORT, api_host, authority, tunnel_command
from operations.shared.servers import Cluster

TIMEOUT_SECONDS = 30
"""How long a tunnel may take to open."""

API_ADDRESS = "TF_VAR_api_address"
"""Environment variable with the Helm stack's ``api_address`` (``modules/platform/cluster.py``)."""


@contextmanager
def terraform_variables(cluster: Cluster) -> Iterator[dict[str, str]]:
    """What Terraform must be told so that it reaches the API from this machine, and the tunnel if it takes one.

    Nothing, where the API is public, the private load balancer answers (inside the VPC, or by a VPN), or the person has
    set :data:`API_ADDRESS`.

    Raises:
        Failure: the environment has no load balancer yet, or the tunnel does not open.
    """
    if API_ADDRESS in os.environ or cluster.environment.access.api.access == "public" or _connects(api_host(cluster)):
        yield {}
        return
    with tunnel(cluster):
        yield {API_ADDRESS: f"https://127.0.0.1:{TUNNEL_PORT}"}


@contextmanager
def tunnel(cluster: Cluster) -> Iterator[None]:
    """Open the tunnel if the API is private and none is open already; close it at the end.

    Raises:
        Failure: no server is healthy, something else listens on the tunnel's port, the AWS CLI or its plugin is missing, or
            the tunnel does not open.
    """
    if cluster.environment.access.api.access == "public" or is_open(cluster):
        yield
        return
    command = tunnel_command(cluster)
    try:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C at the terminal leaves it to Terraform, which still has to finish
        )
    except FileNotFoundError as error:
        raise Failure("the AWS CLI is not on PATH", "Install it: https://docs.aws.amazon.com/cli/") from error
    try:
        _await(process, cluster)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # the AWS CLI leaves its plugin behind if it is ended alone
        process.wait()


def is_open(cluster: Cluster) -> bool:
    """Whether a tunnel to this cluster's API is open here; False when nobody listens on its port.

    Raises:
        Failure: something listens there that does not prove to be this cluster's API by its certificate: another
            environment's tunnel, a cluster on this machine, or any other program.
    """
    try:
        connection = socket.create_connection(("127.0.0.1", TUNNEL_PORT), timeout=3)
    except OSError:
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=authority(cluster))
        context.wrap_socket(connection, server_hostname=api_host(cluster)).close()
    except OSError as error:  # those of TLS are some as well
        raise Failure(
            f"something listens on 127.0.0.1:{TUNNEL_PORT} of this machine, and it is not the API of {cluster.names.base}: {error}",
            f"Another environment's tunnel, or a cluster of your own? Find it (lsof -i :{TUNNEL_PORT}, or ss -ltnp), end it, and"
            " run the same command again",
        ) from error
    finally:
        connection.close()
    return True


def _await(process: "subprocess.Popen[str]", cluster: Cluster) -> None:
    reason = "nobody listens"

    def opened() -> bool | None:
        nonlocal reason
        try:
            if is_open(cluster):
                return True
        except Failure as failure:  # the tunnel listens before it leads anywhere
            reason = failure.problem
        if process.poll() is not None:
            errors = process.stderr.read().strip() if process.stderr else ""
            raise Failure(f"the tunnel to the API did not open: {errors or 'aws ssm start-session ended'}")
        return None

    if not wait_until(opened, seconds=TIMEOUT_SECONDS, poll=(0.2,)):
        raise Failure(f"the tunnel to the API did not open within {TIMEOUT_SECONDS} seconds: {reason}")


def _connects(host: str) -> bool:
    try:
        socket.create_connection((host, TUNNEL_PORT), timeout=3).close()
    except OSError:
        return False
    return True
