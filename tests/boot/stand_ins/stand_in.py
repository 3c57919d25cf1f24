"""One program under many names: records its call, acts on the sandbox's model, and crashes the machine where a test asked
for it."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import state

ACTIONS = {
    "aws": "aws.aws",
    "blkid": "host.blkid",
    "cmp": "host.cmp",
    "curl": "network.curl",
    "dpkg": "host.dpkg",
    "dpkg-query": "host.dpkg_query",
    "e2fsck": "host.e2fsck",
    "groupadd": "host.groupadd",
    "kubectl": "kubectl.kubectl",
    "lsblk": "host.lsblk",
    "mkfs.ext4": "host.mkfs",
    "mount": "host.mount",
    "mountpoint": "host.mountpoint",
    "od": "host.od",
    "resize2fs": "host.resize2fs",
    "rke2": "cluster.rke2",
    "rke2-killall.sh": "cluster.rke2_killall",
    "sleep": "host.sleep",
    "systemctl": "cluster.systemctl",
    "umount": "host.umount",
    "useradd": "host.useradd",
    "wipefs": "host.wipefs",
}

aws_cli: Any = None
"""The AWS CLI's driver, where this runs in a process that has loaded it."""


def call(name: str, arguments: list[str]) -> None:
    """Do what the program of this name does; it may end with ``SystemExit``."""
    state.record([name, *arguments])
    module, action = ACTIONS[name].split(".")
    # Only what this call needs: a boot makes some fifty of them.
    getattr(__import__(module), action)(arguments)
    sys.stdout.flush()
    state.crash_if_told([name, *arguments])


if __name__ == "__main__":
    call(sys.argv[1], sys.argv[2:])
