"""``make clinic-admin ENV=dev EMAIL=...``: make the clinic's first manager, or let in one who lost the password.

The application itself makes the password and prints it once, through kubectl, to this terminal and nowhere else.
"""

import argparse
import subprocess

from rich.console import Console

from operations.failure import Failure, guided
from operations.kubeconfig import save
from operations.servers import Cluster
from operations.tunnel import tunnel

DEPLOYMENT = "deployment/vet-app"

console = Console(highlight=False, soft_wrap=True, stderr=True)


def clinic_admin(cluster: Cluster, email: str) -> None:
    """Run the application's command in one of its pods.

    Raises:
        Failure: the address is none, the cluster cannot be reached, or the application does not run.
    """
    if "@" not in email or email.startswith("-"):
        raise Failure(f"EMAIL={email!r} is not an e-mail address; write such as EMAIL=anna@clinic.example")
    path = save(cluster, "admin")
    command = ["kubectl", "--kubeconfig", str(path), "--namespace", cluster.environment.application.namespace]
    with tunnel(cluster):
        try:
            done = subprocess.run(
                [*command, "exec", DEPLOYMENT, "--", "python", "manage.py", "clinic_admin", email], check=False
            )
        except FileNotFoundError as error:
            raise Failure("kubectl is not on PATH: https://kubernetes.io/docs/tasks/tools/ tells how") from error
    if done.returncode:
        raise Failure(
            f"no user was made. If no pod of {DEPLOYMENT} runs, first: make deploy ENV={cluster.environment.name}"
        )
    console.print(f"https://{cluster.environment.hosts.application}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make clinic-admin", description=__doc__.splitlines()[0])
    parser.add_argument("environment")
    parser.add_argument("email")
    arguments = parser.parse_args()
    guided(lambda: clinic_admin(Cluster(arguments.environment), arguments.email))
