"""Stand-ins for what changes the operating system: devices, file systems, mounts, time.

A volume is a folder; mounting makes a symbolic link to it, so what is on the volume outlives the machine's root.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from state import ROOT, SANDBOX, fail, locked_state, look


def _volume(device: str) -> Path:
    attached = json.loads((ROOT.parent / "devices.json").read_text())
    if device.startswith("UUID="):
        return SANDBOX / "volumes" / device.removeprefix("UUID=")
    return SANDBOX / "volumes" / str(attached[device])


def lsblk(_: list[str]) -> None:
    """Print devices and serial numbers as Nitro instances show them."""
    print("/dev/nvme0n1 vol00000000000root")
    for device, volume in json.loads((ROOT.parent / "devices.json").read_text()).items():
        print(device, volume.replace("-", ""))


def wipefs(arguments: list[str]) -> None:
    """Print the signatures of a volume: none when it is blank."""
    signature = _volume(arguments[-1]) / "signature"
    if signature.exists():
        print(signature.read_text())


def cmp(arguments: list[str]) -> None:
    """Compare the first MiB of a device with zeros; a test's "first-mib" says that it holds something, or is not readable."""
    begins = _volume(next(word for word in arguments if word.startswith("/dev/n"))) / "first-mib"
    if begins.exists():
        sys.exit(2 if begins.read_text() == "unreadable" else 1)


def od(arguments: list[str]) -> None:
    """Read a backup's magic number where a test says that a block of 4 KiB is one; the real program reads all else."""
    if not arguments[-1].startswith("/dev/nvme"):
        sys.exit(subprocess.run(["/usr/bin/od", *arguments]).returncode)
    backup = _volume(arguments[-1]) / "backup-superblock"
    if backup.exists() and f"--skip-bytes={int(backup.read_text()) * 4096 + 56}" in arguments:
        print(" 53 ef")


def e2fsck(arguments: list[str]) -> None:
    """End as a test said."""
    status_file = _volume(arguments[-1]) / "e2fsck"
    sys.exit(int(status_file.read_text()) if status_file.exists() else 0)


def mkfs(arguments: list[str]) -> None:
    """Format: what was there is gone. Never, where it was etcd's data."""
    volume = _volume(arguments[-1])
    if (volume / "files/server/db/etcd/member/wal").exists():
        with locked_state() as state:
            state["violations"].append(f"the volume {volume.name} is formatted, with etcd's data on it")
    shutil.rmtree(volume)
    (volume / "files").mkdir(parents=True)
    (volume / "signature").write_text("ext4 " + arguments[arguments.index("-L") + 1])


def blkid(arguments: list[str]) -> None:
    """The UUID of a stand-in's file system is its volume's id."""
    print(_volume(arguments[-1]).name)


def groupadd(arguments: list[str]) -> None:
    """Add a group to the machine's file, as useradd(8)'s sibling does: 4 where the number is taken, 9 where the name is."""
    _add("group", arguments, "--gid", "{name}:x:{number}:")


def useradd(arguments: list[str]) -> None:
    """The same for a user, whose group has to be there: 6 where it is not."""
    group = arguments[arguments.index("--gid") + 1]
    if group not in _entries("group"):
        sys.exit(6)
    _add(
        "passwd",
        arguments,
        "--uid",
        f"{{name}}:x:{{number}}:{_entries('group')[group]}::/nonexistent:/usr/sbin/nologin",
    )


def _entries(file: str) -> dict[str, str]:
    """Numbers of users or groups by name."""
    path = ROOT / "etc" / file
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.split(":")[0]: line.split(":")[2] for line in lines}


def _add(file: str, arguments: list[str], option: str, line: str) -> None:
    name, known = arguments[-1], _entries(file)
    number = arguments[arguments.index(option) + 1] if option in arguments else "999"
    if name in known or number in known.values():
        sys.exit(9 if name in known else 4)
    with (ROOT / "etc" / file).open("a") as entries:
        entries.write(line.format(name=name, number=number) + "\n")


def mount(arguments: list[str]) -> None:
    """Link the target to the volume or, for a bind mount, to the folder."""
    if arguments[0] == "--bind":
        source, target = Path(arguments[1]), Path(arguments[2])
    else:
        source, target = _volume(arguments[0]) / "files", Path(arguments[1])
    if target.is_symlink():
        fail(f"mount: {target} is mounted")
    target.rmdir()
    target.symlink_to(source)


def umount(arguments: list[str]) -> None:
    """Leave the empty folder that was there before; refuse as often as a test asked for."""
    busy = ROOT.parent / "busy"
    if busy.exists() and int(busy.read_text()) > 0:
        busy.write_text(str(int(busy.read_text()) - 1))
        fail(f"umount: {arguments[0]}: target is busy.", 32)
    target = Path(arguments[0])
    target.unlink()
    target.mkdir()


def mountpoint(arguments: list[str]) -> None:
    """A mounted target is a link."""
    sys.exit(0 if Path(arguments[-1]).is_symlink() else 1)


def resize2fs(arguments: list[str]) -> None:
    """Refuse what is not a file system, as the real one does."""
    if not (_volume(arguments[-1]) / "signature").exists():
        fail("Bad magic number in super-block")


def sleep(arguments: list[str]) -> None:
    """Let others go on, but do not make the tests wait: the time since power-on moves all the same."""
    uptime = ROOT / "proc/uptime"
    uptime.write_text(f"{float(uptime.read_text()) + float(arguments[0])}\n")
    # What waits long in truth (a turn is renewed beside a boot) leaves the processor to the others here.
    time.sleep(look().get("sleep", 0.2 if float(arguments[0]) >= 15 else 0.01))


def dpkg(arguments: list[str]) -> None:
    """Install a package: the one that there is, the CloudWatch agent, of the version in the machine's node.env."""
    if arguments[:1] != ["--install"] or not Path(arguments[1]).is_file():
        fail(f"dpkg: {' '.join(arguments)}")
    environment = (ROOT / "etc/vet/node.env").read_text()
    version = next(
        line.split("'")[1] for line in environment.splitlines() if line.startswith("CLOUDWATCH_AGENT_VERSION=")
    )
    (ROOT.parent / "installed-agent").write_text(f"{version}-1")


def dpkg_query(_: list[str]) -> None:
    """The version of the CloudWatch agent, if it is installed."""
    installed = ROOT.parent / "installed-agent"
    if not installed.exists():
        fail("dpkg-query: no packages found matching amazon-cloudwatch-agent")
    print(installed.read_text(), end="")
