"""What a check yields, and what it may ask."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import boto3

from operations.shared.servers import Cluster
from operations.shared.tunnel import is_open
from settings import Settings
from settings.environment import Environment
from settings.names import Names

Verdict = Literal["ok", "fails", "later"]
"""``later``: nothing is wrong, but it cannot be said yet."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    what: str
    verdict: Verdict
    text: str
    remedy: str = ""
    """What to do; empty if it is ok."""


@dataclass(frozen=True)
class CheckContext:
    """An environment under examination."""

    settings: Settings
    environment: Environment
    resolve: Callable[[str], object] = socket.gethostbyname
    """Ask DNS for a name's address; OSError if it has none."""

    connect: Callable[[tuple[str, int], float], Any] = socket.create_connection
    """Open a connection; OSError if nobody answers."""

    tunnel: Callable[[Cluster], bool] = is_open
    """Whether a tunnel to a private API is open here; Failure if something else listens on its port."""

    @property
    def names(self) -> Names:
        """Its physical names."""
        return Names(self.settings.project, self.environment)

    def client(self, service: str) -> Any:
        """A client in its region."""
        return boto3.client(service, region_name=self.environment.region)
