"""What a server says of itself and of etcd."""

from dataclasses import dataclass

from operations.shared.errors import Failure


@dataclass(frozen=True)
class Health:
    """What ``/opt/vet/bin/health`` says on one server. See there."""

    api_ready: bool
    etcd_healthy: bool
    members: int
    voting: int
    servers_ready: int | None
    """Servers whose Node is Ready; None when the API cannot be asked."""

    booted: bool
    running: bool
    data: bool = True
    """Whether etcd data is on its volume."""

    data_known: bool = True
    """Whether that could be told: a volume that is not mounted, or cannot be read, is no empty one."""

    data_written: int = 0
    """When etcd last wrote to that data: seconds since 1970, 0 if that is not known."""

    leader: str = "yes"
    """Whether etcd has a leader: ``yes``, ``no`` or ``unknown``."""

    database_bytes: int = 0
    database_bytes_in_use: int = 0
    alarms: str = ""
    """etcd's alarms (``NOSPACE``), an empty string if there is none, ``unknown``."""

    cordoned: str = "false"
    """``true``, ``false`` or ``unknown``."""

    restore: str = ""
    """What ``/opt/vet/bin/progress`` says: an empty string, ``unknown``, or run, step and source."""

    etcd_known: bool = True
    """Whether it could be told that every member of etcd is healthy, or that one is not."""

    quorum: str = ""
    """Whether etcd has a majority as this server sees it (``yes``, ``no``, ``unknown``). Servers made by an earlier release do not say it."""

    @property
    def works(self) -> bool | None:
        """Whether etcd has a majority, so that the cluster takes writes, though a member may be missing. None: it cannot be told."""
        if self.etcd_healthy:
            return True
        return {"yes": True, "no": False}.get(self.quorum)

    def at(self, run: str) -> str:
        """The step at which this server is in a restore; an empty string when it has no part in it."""
        known, _, rest = self.restore.partition(" ")
        return rest.split()[0] if known == run and rest else ""

    @classmethod
    def read(cls, text: str) -> "Health":
        """From the program's NAME=value lines.

        Raises:
            Failure: some are missing.
        """
        facts = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("vet "))
        if missing := {"api", "etcd", "members", "voting", "servers_ready", "boot", "rke2"} - facts.keys():
            raise Failure(f"health does not say {', '.join(sorted(missing))}", output=text.strip() or "it said nothing")
        numbers = ("members", "voting", "servers_ready", "data_written", "database_bytes", "database_bytes_in_use")
        unknown = ("servers_ready", "unknown")
        if wrong := [
            name for name in numbers if not (facts.get(name) or "0").isdigit() and (name, facts[name]) != unknown
        ]:
            raise Failure(f"health gives no number for {', '.join(wrong)}", output=text.strip())
        return cls(
            api_ready=facts["api"] == "ready",
            etcd_healthy=facts["etcd"] == "healthy",
            members=int(facts["members"] or 0),
            voting=int(facts["voting"] or 0),
            servers_ready=None if facts["servers_ready"] == "unknown" else int(facts["servers_ready"] or 0),
            booted=facts["boot"] == "active",
            running=facts["rke2"] == "active",
            data=facts.get("data") == "present",
            data_known=facts.get("data") in ("present", "none"),
            data_written=int(facts.get("data_written") or 0),
            leader=facts.get("leader", "unknown"),
            database_bytes=int(facts.get("database_bytes") or 0),
            database_bytes_in_use=int(facts.get("database_bytes_in_use") or 0),
            alarms=facts.get("alarms", "unknown"),
            cordoned=facts.get("cordoned", "unknown"),
            restore=facts.get("restore", "unknown"),
            etcd_known=facts["etcd"] != "unknown",
            quorum=facts.get("quorum", ""),
        )

    def problems(self, servers: int) -> list[str]:
        """What is not as it must be in a whole cluster of so many servers."""
        problems = {
            "the API is not ready": not self.api_ready,
            "etcd is not healthy": self.etcd_known and not self.etcd_healthy,
            "etcd cannot be asked": not self.etcd_known,
            f"etcd has {self.members} members, not {servers}": self.members != servers,
            f"{self.voting} members vote, not {servers}": self.voting != servers,
            f"{self.servers_ready} servers are Ready, not {servers}": self.servers_ready not in (None, servers),
            "it cannot be read which servers are Ready": self.servers_ready is None,
            "its boot has not finished": not self.booted,
        }
        return [problem for problem, holds in problems.items() if holds]
