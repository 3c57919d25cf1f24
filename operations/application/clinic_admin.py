"""``make clinic-admin ENV=dev EMAIL=...``: make the clinic's first manager, or let in one who lost the password.

The application itself makes the password and prints it once, through kubectl, to this terminal and nowhere else.
"""

import subprocess
from collections.abc import Sequence

from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.kubeconfig import save
from operations.shared.servers import Cluster
from operations.shared.tunnel import tunnel

DEPLOYMENT = "deployment/vet-app"

console = terminal(stderr=True, whole_lines=True)


def clinic_admin(cluster: Cluster, email: str) -> None:
    """Run the application's command in one of its pods.

    Raises:
        Failure: the address is none, the cluster cannot be reached, or the application does not run.
    """
    if "@" not in email or email.startswith("-"):
        raise Failure(f"EMAIL={email!r} is not an e-mail address; write such as EMAIL=anna@clinic.example")
    path = save(cluster, "admin")
    kubectl = ["kubectl", "--kubeconfig", str(path), "--namespace", cluster.environment.application.namespace]
    with tunnel(cluster):
        try:
            _refuse_without_pods(kubectl, cluster.environment.name)
            done = subprocess.run([*kubectl, "exec", DEPLOYMENT, "--", "python", "manage.py", "clinic_admin", email])
        except FileNotFoundError as error:
            raise Failure("kubectl is not on PATH: https://kubernetes.io/docs/tasks/tools/ tells how") from error
    if done.returncode:
        raise Failure("no user was made; the lines above say why")
    console.print(f"https://{cluster.environment.hosts.application}/")


def _refuse_without_pods(kubectl: Sequence[str], environment: str) -> None:
    """Stop at once where ``kubectl exec`` would wait a minute for a pod, and then report a condition.

    Raises:
        Failure: the application is not there, or no pod of it is ready.
    """
    asked = [*kubectl, "get", DEPLOYMENT, "--output", "jsonpath={.status.readyReplicas}"]
    answer = subprocess.run(asked, capture_output=True, text=True)
    if answer.returncode:
        raise Failure(
            f"{answer.stderr.strip()}\nIf the application was never deployed, first: make deploy ENV={environment}"
        )
    if not answer.stdout.strip().strip("0"):
        look = " ".join([*kubectl, "get", "pods"])
        raise Failure(f"no pod of {DEPLOYMENT} is ready, and the user is made in one. What they wait for: {look}")
