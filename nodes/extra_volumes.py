"""What a node with further volumes is told: where each is mounted, and the programs that do it.

They are in the user data of that pool's nodes, not in the bundle: other machines do not change by them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from settings.pools import ExtraVolume

HERE = Path(__file__).parent / "volumes"
TIMER = "vet-extra-volumes.timer"

FILES = {
    "/usr/local/lib/vet/mount-extra-volumes": "0755",
    "/usr/local/lib/vet/attached-as": "0755",
    "/etc/systemd/system/vet-extra-volumes.service": "0644",
    f"/etc/systemd/system/{TIMER}": "0644",
}
"""Where each program and unit goes, with its permissions; its name is the file's in ``volumes/``."""

BOOT = "/etc/systemd/system/vet-boot.service.d/extra-volumes.conf"


def device(index: int) -> str:
    """Attachment name of a pool's volume: f is the first letter that EC2 recommends for EBS (EC2 user guide: device names on Linux instances)."""
    return f"sd{chr(ord('f') + index)}"


def files(volumes: Sequence[ExtraVolume]) -> Iterator[tuple[str, str, str]]:
    """Path, permissions and text of each file; none without volumes."""
    if not volumes:
        return
    places = "".join(f"{device(index)} {volume.path}\n" for index, volume in enumerate(volumes))
    yield "/etc/vet/extra-volumes", "0644", places
    for path, permissions in FILES.items():
        yield path, permissions, (HERE / Path(path).name).read_text()
    yield BOOT, "0644", (HERE / "boot.conf").read_text()


def commands(volumes: Sequence[ExtraVolume]) -> list[list[str]]:
    """What cloud-init runs before the loader; nothing without volumes."""
    return [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", TIMER]] if volumes else []
