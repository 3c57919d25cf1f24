"""``make grow-volumes ENV=prod``: further volumes of agents that run become as large as the settings say, while they are used.

AWS enlarges a volume in place, and the node's timer grows the file system on it (``nodes/volumes``). A volume never becomes smaller, and AWS lets one be
changed again only after six hours (Amazon EBS user guide: modify volumes, requirements).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.box import SIMPLE
from rich.table import Table

from nodes.extra_volumes import device
from operations.shared.consent import agreed
from operations.shared.console import terminal
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.servers import Cluster
from settings import load
from settings.prices import prices

console = terminal()


@dataclass(frozen=True)
class Growth:
    """A volume that is smaller than the settings say."""

    pool: str
    path: str
    instance: str
    volume: str
    now: int
    """GiB that it has."""

    wanted: int
    """GiB that it is to have."""

    @property
    def monthly(self) -> float:
        """USD a month that it then costs more."""
        return (self.wanted - self.now) * prices().volume_gib_month["gp3"]


class Growing:
    """Enlarging the further volumes of one environment's agents."""

    def __init__(self, cluster: Cluster, *, auto_approve: bool = False) -> None:
        self.cluster, self.auto_approve = cluster, auto_approve
        self.client = cluster.client("ec2")

    def grow(self, *, dry_run: bool = False) -> None:
        """Enlarge what is too small, after asking.

        :param dry_run: show it, and do nothing.

        Raises:
            Failure: AWS does not answer, or refuses one; those before it have grown.
        """
        try:
            growths = list(self.growths())
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"cannot list the volumes of {self.cluster.names.base}: {error}") from error
        if not growths:
            console.print(f"all further volumes of {self.cluster.names.base} are as large as the settings say")
            return
        console.print(_table(growths))
        more = sum(each.monthly for each in growths)
        if dry_run:
            console.print(f"{more:.2f} USD a month more; nothing was changed")
            return
        if not self.auto_approve and not agreed(console, f"Grow them, for {more:.2f} USD a month more?"):
            raise Failure("nothing was changed")
        for growth in growths:
            self._enlarge(growth)
        console.print(f"[green]done[/]  {len(growths)} volume(s); their file systems follow within five minutes")

    def growths(self) -> Iterator[Growth]:
        """Volumes that are too small, by pool. A machine that was started before its pool had the volume is named."""
        for name, pool in self.cluster.environment.pools.items():
            if not pool.extra_volumes:
                continue
            machines = list(self._machines(name))
            held = {machine["InstanceId"]: _attached(machine) for machine in machines}
            sizes = self._sizes([volume for volumes in held.values() for volume in volumes.values()])
            for instance, volumes in held.items():
                for index, wanted in enumerate(pool.extra_volumes):
                    volume = volumes.get(f"/dev/{device(index)}")
                    if volume is None:
                        console.print(
                            f"[yellow]{instance}[/] of {name} has no {wanted.path} yet: make roll-agents brings it"
                        )
                    elif sizes[volume] < wanted.gib:
                        yield Growth(name, wanted.path, instance, volume, sizes[volume], wanted.gib)

    def _machines(self, pool: str) -> Iterator[Mapping[str, Any]]:
        tags = {"tag:vet:cluster": self.cluster.names.base, "tag:vet:pool": pool, "instance-state-name": "running"}
        filters = [{"Name": name, "Values": [value]} for name, value in tags.items()]
        for page in self.client.get_paginator("describe_instances").paginate(Filters=filters):
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]

    def _sizes(self, volumes: list[str]) -> dict[str, int]:
        """GiB by volume."""
        if not volumes:
            return {}
        pages = self.client.get_paginator("describe_volumes").paginate(VolumeIds=volumes)
        return {each["VolumeId"]: int(each["Size"]) for page in pages for each in page["Volumes"]}

    def _enlarge(self, growth: Growth) -> None:
        try:
            self.client.modify_volume(VolumeId=growth.volume, Size=growth.wanted)
        except (BotoCoreError, ClientError) as error:
            remedy = "AWS changes a volume once in six hours: run the command again then"
            raise Failure(f"{growth.volume} of {growth.instance} did not grow: {error}.\n{remedy}") from error
        console.print(f"[green]done[/]  {growth.volume} ({growth.path} of {growth.instance}): {growth.wanted} GiB")


def _attached(machine: Mapping[str, Any]) -> dict[str, str]:
    """Volumes by attachment name."""
    return {
        each["DeviceName"]: each["Ebs"]["VolumeId"] for each in machine.get("BlockDeviceMappings", []) if "Ebs" in each
    }


def _table(growths: list[Growth]) -> Table:
    table = Table("pool", "mounted at", "machine", "volume", "GiB", "USD a month more", box=SIMPLE, pad_edge=False)
    for each in growths:
        sizes = f"{each.now} → {each.wanted}"
        table.add_row(each.pool, each.path, each.instance, each.volume, sizes, f"{each.monthly:.2f}")
    return table


def grow(name: str, *, dry_run: bool = False, auto_approve: bool = False) -> None:
    """Grow the further volumes of an environment's agents. Raises ``Failure`` at the first problem."""
    refuse_placeholders(load())
    Growing(Cluster(name), auto_approve=auto_approve).grow(dry_run=dry_run)
