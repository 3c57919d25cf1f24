"""``make kubeconfig ENV=dev ROLE=read``: a kubeconfig without any key in it, and the way to an API that is private.

kubectl gets its credentials from AWS each time, as you. Of a shared account, from Secrets Manager: anybody who may read the role's secret has the role,
for as long as that lasts. As who you are in AWS (``ROLE=person``, where ``access.identity.issuer`` is set): a token of an hour that AWS signs, with
which you may what ``access.principals`` says of you.
"""

import base64
import subprocess
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from nodes.authentication import audience
from nodes.inputs import PENDING
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster

SHARED = ("admin", "deploy", "read")
PERSON = "person"
ROLES = (*SHARED, PERSON)
FOLDER = Path(".cache/kubeconfig")
TUNNEL_PORT = 6443

console = terminal(whole_lines=True)


def kubeconfig(cluster: Cluster, role: str) -> dict[str, Any]:
    """The document for a role.

    Raises:
        Failure: The environment is not deployed yet, or AWS does not answer.
    """
    names = cluster.names
    host = api_host(cluster)
    public = cluster.environment.access.api.access == "public"
    server = f"https://{api_host(cluster, public=True)}:6443" if public else f"https://127.0.0.1:{TUNNEL_PORT}"
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
                        "args": _credentials(cluster, role),
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": names.base, "user": context}}],
        "current-context": context,
    }


EXEC_CREDENTIAL = (
    "{apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential',"
    " status: {token: WebIdentityToken, expirationTimestamp: Expiration}}"
)
"""What kubectl reads (kubernetes.io/docs, client-go credential plugins), made of AWS's answer by the CLI's own query language."""

LIFE_SECONDS = 3600
"""The longest that AWS gives (docs.aws.amazon.com, STS API Reference: GetWebIdentityToken)."""


def _credentials(cluster: Cluster, role: str) -> list[str]:
    """Arguments of the AWS CLI that print credentials for kubectl."""
    names, region, issuer = cluster.names, cluster.environment.region, cluster.environment.access.identity.issuer
    if role != PERSON:
        secret = names.secret(f"credentials/{role}")
        reading = ["secretsmanager", "get-secret-value", "--region", region, "--secret-id", secret]
        return [*reading, "--query", "SecretString", "--output", "text"]
    if issuer is None:
        raise Failure(
            f"{cluster.environment.name} has no identities from AWS: access.identity.issuer is not set in its file",
            f"Choose one of {', '.join(SHARED)}; docs/runbooks/access.md tells how to set it up",
        )
    return [
        *("sts", "get-web-identity-token", "--region", region, "--audience", audience(names.base)),
        *("--signing-algorithm", "RS256", "--duration-seconds", str(LIFE_SECONDS)),
        *("--query", EXEC_CREDENTIAL, "--output", "json"),
    ]


def save(cluster: Cluster, role: str) -> Path:
    """Write the kubeconfig; returns its path. Raises ``Failure`` as :func:`kubeconfig` does."""
    path = FOLDER / f"{cluster.names.base}-{role}.yaml"
    document = yaml.safe_dump(kubeconfig(cluster, role), sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document, encoding="utf-8")
    path.chmod(0o600)
    return path


def administrator(cluster: Cluster) -> Kubectl:
    """kubectl of an administrator, in the application's namespace. Raises ``Failure`` as :func:`kubeconfig` does."""
    return Kubectl(str(save(cluster, "admin")), cluster.environment.application.namespace)


def tunnel_command(cluster: Cluster) -> list[str]:
    """Session Manager's port forwarding to the API of the first healthy server.

    Raises:
        Failure: No server is.
    """
    server = cluster.leading()
    return [
        *("aws", "ssm", "start-session", "--region", cluster.environment.region, "--target", server.instance),
        *("--document-name", "AWS-StartPortForwardingSession"),
        *("--parameters", f"portNumber=6443,localPortNumber={TUNNEL_PORT}"),
    ]


def api_host(cluster: Cluster, *, public: bool = False) -> str:
    """DNS name of the API's internal or public load balancer. Raises ``Failure`` while it does not exist."""
    name = cluster.names.resource("public-api" if public else "api")
    try:
        balancers = cluster.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"{cluster.environment.name} has no load balancer {name}: {error}", _deploy(cluster)) from error
    return str(balancers[0]["DNSName"])


def authority(cluster: Cluster) -> str:
    """The cluster's published CA certificate, PEM. Raises ``Failure`` when it is not published, or cannot be read."""
    name = cluster.names.parameter("cluster-ca")
    try:
        value = str(cluster.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the parameter {name} cannot be read: {error}", _deploy(cluster)) from error
    if value == PENDING:
        raise Failure(f"the cluster has not published its certificate yet ({name} is {PENDING})", _deploy(cluster))
    return f"{value.strip()}\n"


def _deploy(cluster: Cluster) -> str:
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
        raise Failure("the AWS CLI is not on PATH", "Install it: https://docs.aws.amazon.com/cli/") from error
