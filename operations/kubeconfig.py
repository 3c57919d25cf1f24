"""``make kubeconfig ENV=dev ROLE=read``: a kubeconfig without any key in it, and the way to an API that is private.

kubectl gets its credentials from Secrets Manager each time, as you: whoever may read the role's secret has the role,
for as long as that lasts.
"""

import base64
import subprocess
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from operations.failure import Failure
from operations.servers import Cluster

ROLES = ("admin", "deploy", "read")
FOLDER = Path(".cache/kubeconfig")
TUNNEL_PORT = 6443

console = Console(highlight=False, soft_wrap=True)


def kubeconfig(cluster: Cluster, role: str) -> dict[str, Any]:
    """The document for a role.

    Raises:
        Failure: The environment is not deployed yet, or AWS does not answer.
    """
    names, region = cluster.names, cluster.environment.region
    host = api_host(cluster)
    public = cluster.environment.access.api.access == "public"
    server = f"https://{api_host(cluster, public=True)}:6443" if public else f"https://127.0.0.1:{TUNNEL_PORT}"
    arguments = [
        "secretsmanager",
        "get-secret-value",
        "--region",
        region,
        "--secret-id",
        names.secret(f"credentials/{role}"),
    ]
    context = f"{names.base}-{role}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": names.base,
                # The certificate is for the internal name, whichever way leads to it.
                "cluster": {
                    "server": server,
                    "tls-server-name": host,
                    "certificate-authority-data": base64.b64encode(authority(cluster).encode()).decode(),
                },
            }
        ],
        "users": [
            {
                "name": context,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "command": "aws",
                        "args": [*arguments, "--query", "SecretString", "--output", "text"],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": names.base, "user": context}}],
        "current-context": context,
    }


def save(cluster: Cluster, role: str) -> Path:
    """Write the kubeconfig; returns its path. Raises ``Failure`` as :func:`kubeconfig` does."""
    path = FOLDER / f"{cluster.names.base}-{role}.yaml"
    document = yaml.safe_dump(kubeconfig(cluster, role), sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document, encoding="utf-8")
    path.chmod(0o600)
    return path


def tunnel_command(cluster: Cluster) -> list[str]:
    """Session Manager's port forwarding to the API of the first server that is well.

    Raises:
        Failure: No server is.
    """
    server = cluster.well()
    return [
        *("aws", "ssm", "start-session", "--region", cluster.environment.region, "--target", server.instance),
        *("--document-name", "AWS-StartPortForwardingSession"),
        *("--parameters", f"portNumber=6443,localPortNumber={TUNNEL_PORT}"),
    ]


def api_host(cluster: Cluster, *, public: bool = False) -> str:
    """DNS name of the API's internal or public load balancer. Raises ``Failure`` while it does not exist."""
    name = cluster.names.of("public-api" if public else "api")
    try:
        found = cluster.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"{cluster.environment.name} has no load balancer {name}: {error}\n{_first(cluster)}") from error
    return str(found[0]["DNSName"])


def authority(cluster: Cluster) -> str:
    """The cluster's published CA certificate, PEM. Raises ``Failure`` when it is not published, or cannot be read."""
    name = cluster.names.parameter("cluster-ca")
    try:
        value = str(cluster.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the parameter {name} cannot be read: {error}\n{_first(cluster)}") from error
    if value == "pending":
        raise Failure(f"the cluster has not published its certificate yet ({name} is pending).\n{_first(cluster)}")
    return f"{value.strip()}\n"


def _first(cluster: Cluster) -> str:
    return f"First: make deploy ENV={cluster.environment.name}"


def run(name: str, role: str, *, tunnel: bool) -> None:
    """Write the kubeconfig; for a private API start the tunnel or say how."""
    cluster = Cluster(name)
    console.print(f"export KUBECONFIG={save(cluster, role).resolve()}")
    if cluster.environment.access.api.access == "public":
        return
    command = tunnel_command(cluster)
    if not tunnel:
        console.print(f"# The API is private. In another terminal, or with TUNNEL=yes here:\n{' '.join(command)}")
        return
    console.print(f"# The tunnel is open on port {TUNNEL_PORT} until you stop it (Ctrl-C)")
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError as error:
        raise Failure("the AWS CLI is not on PATH: https://docs.aws.amazon.com/cli/ tells how to install it") from error
