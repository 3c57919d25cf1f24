"""kubectl as a person runs it: a kubeconfig, a namespace, and what it says when it fails."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.shared.errors import Failure


@dataclass(frozen=True)
class Kubectl:
    """kubectl in one namespace."""

    kubeconfig: str
    """Path of the kubeconfig."""

    namespace: str
    """Namespace of every command."""

    program: str = "kubectl"
    """Path of the program, if it is not the one on PATH."""

    def command(self, *words: str) -> Sequence[str]:
        """The whole command line, as a person would type it."""
        return [self.program, "--kubeconfig", self.kubeconfig, "--namespace", self.namespace, *words]

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        """Run it, and return what it printed.

        :param stdin: its standard input.

        Raises:
            Failure: it ended with an error, or it is not on PATH.
        """
        command = self.command(*words)
        try:
            answer = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise Failure("kubectl is not on PATH: https://kubernetes.io/docs/tasks/tools/ tells how") from error
        if answer.returncode:
            raise Failure(f"{' '.join(command)} ended with {answer.returncode}", output=answer.stderr.strip())
        return answer.stdout

    def apply(self, manifest: Mapping[str, Any]) -> None:
        """Make an object, or change it to what the manifest says. Raises ``Failure`` if the API refuses it."""
        self("apply", "--filename", "-", stdin=json.dumps(manifest))

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object; None if there is none of that name, or not even the kind.

        Raises:
            Failure: the API cannot be asked.
        """
        try:
            text = self("get", kind, name, "--output", "json")
        except Failure as failure:
            message = failure.output
            # An API server that cannot list what it has says of everything that it does not have it.
            listed = (
                "couldn't get resource list" not in message and "unable to retrieve the complete list" not in message
            )
            if "(NotFound)" in message or ("the server doesn't have a resource type" in message and listed):
                return None
            raise
        content: dict[str, Any] = json.loads(text)
        return content
