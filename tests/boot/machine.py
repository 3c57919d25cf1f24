"""One machine of the sandbox: user data is unpacked into its root folder, and the node programs run with that root."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from nodes.boot import bundle
from nodes.former_names import FORMER_NAMES

if TYPE_CHECKING:
    from tests.boot.sandbox import Sandbox

STAND_INS = Path(__file__).parent / "stand_ins"
NAMES = (
    "aws",
    "blkid",
    "cmp",
    "curl",
    "dpkg",
    "dpkg-query",
    "e2fsck",
    "groupadd",
    "kubectl",
    "lsblk",
    "mkfs.ext4",
    "mount",
    "mountpoint",
    "od",
    "resize2fs",
    "sleep",
    "systemctl",
    "umount",
    "useradd",
    "wipefs",
)
RECORDED_ONLY = ("journalctl", "logger", "swapoff", "sysctl")
MACHINE_PATHS = re.compile(r"(?<![\w.-])/(opt/vet|etc/rancher|etc/vet|var/lib/rancher)/")
"""Beginnings of paths on a machine that are below its root folder here."""

RESTART_BOOT = "systemctl restart vet-boot"
STOPPED = 78
"""Exit code of a decision that only a person can change."""


@dataclass
class Result:
    """How a program ended."""

    code: int
    log: str

    def decisions(self) -> list[str]:
        """The decisions in the order they were logged."""
        return [
            line.split("decision: ", 1)[1].split(",", 1)[0] for line in self.log.splitlines() if "decision: " in line
        ]


class Machine:
    """One instance: user data is unpacked into its root as cloud-init would, programs run with that root."""

    def __init__(self, sandbox: "Sandbox", address: str, user_data: str, volume: str | None) -> None:
        self.sandbox, self.address, self.volume = sandbox, address, volume
        self.instance = f"i-{uuid.uuid4().hex[:17]}"
        self.name = f"ip-{address.replace('.', '-')}.ec2.internal"
        self.folder = sandbox.folder / "machines" / self.instance
        self.root = self.folder / "root"
        for folder in ("etc/systemd/system", "etc/NetworkManager", "usr/local/bin", "opt", "run", "proc"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "proc/uptime").write_text("0\n")
        self._write_files(user_data)
        facts = {"instance-id": self.instance, "placement/availability-zone": "us-east-1a", "local-ipv4": address}
        (self.folder / "metadata.json").write_text(json.dumps(facts | {"local-hostname": self.name}))
        (self.folder / "devices.json").write_text(json.dumps({"/dev/nvme1n1": volume} if volume else {}))
        self._path = self._stand_ins()
        self.unpack()

    @property
    def slot(self) -> int:
        """Its place among the sandbox's servers."""
        place: int = self.sandbox.state["servers"].index(self.address)
        return place

    def on_volume(self, path: str, *, whole: bool = False) -> Path:
        """A path on the data volume's file system, or of the volume itself."""
        return self.sandbox.folder / "volumes" / str(self.volume) / ("" if whole else "files") / path

    def run(self, program: str, *arguments: str, **environment: str) -> Result:
        """Run a program of ``/opt/vet/bin`` to its end."""
        return self.finish(self.begin(program, *arguments, **environment))

    def begin(self, program: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a program without waiting, in a session of its own, so that a crash ends all of it."""
        path = self.root / "opt/vet/bin" / program
        if not path.exists():  # the programs of a release before (VET_NODES)
            path = path.with_name(next(old for old, new in FORMER_NAMES.items() if new == program))
        return subprocess.Popen(
            [str(path), *arguments],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: "subprocess.Popen[str]", seconds: float = 300) -> Result:
        """Wait for a program; one that does not end is a defect of bounded retries."""
        try:
            log, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            log, _ = process.communicate()
            raise AssertionError(f"did not end within {seconds} s:\n{log}") from None
        return Result(process.returncode, log)

    def shell(self, line: str) -> "subprocess.CompletedProcess[str]":
        """What a person types in a shell of the machine, or Session Manager runs there: paths lead into its root folder.

        systemd is played as far as a boot that was asked for: its log follows.
        """
        text = MACHINE_PATHS.sub(lambda match: f"{self.root}{match[0]}", line)
        before = len(self.calls(RESTART_BOOT))
        answer = subprocess.run(
            ["bash", "-ec", text],
            env=self.environment | {"PATH": f"{self.root}/usr/local/bin:{self.environment['PATH']}"},
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if answer.returncode == 0 and len(self.calls(RESTART_BOOT)) > before:
            boot = self.boot()
            answer.returncode, answer.stdout = boot.code, answer.stdout + boot.log
        answer.stderr = ""
        return answer

    def unpack(self) -> None:
        """Put the programs in place without fetch-programs, which has its own tests."""
        with tarfile.open(fileobj=io.BytesIO(bundle(self.sandbox.inputs.extras.scripts).content)) as archive:
            archive.extractall(self.root / "opt/vet", filter="data")

    def boot(self, **environment: str) -> Result:
        """What vet-boot.service runs."""
        return self.run("boot", **environment)

    def mark_booted(self) -> None:
        """Leave what a boot leaves: mounts, who this is, RKE2's programs, its configuration and its kubeconfig."""
        for folder, target in (
            ("server", "var/lib/rancher/rke2/server"),
            ("node", "etc/rancher/node"),
            ("", "var/lib/vet/data"),
        ):
            self.on_volume(folder).mkdir(exist_ok=True)
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            (self.root / target).symlink_to(self.on_volume(folder))
        (self.on_volume("identity")).write_text(f"volume={self.volume} slot={self.slot}\n")
        (self.root / "run/vet").mkdir()
        identity = f"INSTANCE_ID='{self.instance}'\nNODE_NAME='{self.name}'\nNODE_ADDRESS='{self.address}'\n"
        (self.root / "run/vet/identity").write_text(identity)
        config = self.root / "etc/rancher/rke2"
        (config / "rke2.yaml").write_text(f"server: https://{self.address}:6443\n")
        (config / "config.yaml.d").mkdir(exist_ok=True)
        (config / "config.yaml.d/20-node.yaml").write_text(f'node-name: "{self.name}"\n')
        for token in ("token", "agent-token"):
            (config / token).write_text("server-token\n" if token == "token" else "agent-token\n")
        shutil.copytree(self.root / "etc/vet/manifests", self.on_volume("server/manifests"))
        for name in ("rke2", "rke2-killall.sh"):
            (self.root / "usr/local/bin" / name).write_text(stand_in_script(name))
            (self.root / "usr/local/bin" / name).chmod(0o755)

    def power_off(self) -> None:
        """Nothing runs any more; mounts and /run are gone with the next boot, disks stay."""
        state = self.sandbox.state
        state["machines"].setdefault(self.address, {})["running"] = False
        self.sandbox.write(state)
        for mount in ("var/lib/rancher/rke2/server", "etc/rancher/node", "var/lib/vet/data"):
            if (self.root / mount).is_symlink():
                (self.root / mount).unlink()
        for fact in (self.root / "run/vet").glob("*"):
            fact.unlink()

    def crash_after(self, pattern: str, count: int = 1) -> None:
        """Lose power right after the ``count``-th call that contains the pattern."""
        (self.folder / "crash-after").write_text(f"{pattern}\n{count}")

    def calls(self, pattern: str = "") -> list[str]:
        """The recorded calls that contain the pattern."""
        log = self.folder / "calls.log"
        return [line for line in (log.read_text().splitlines() if log.exists() else []) if pattern in line]

    def before(self, program: str, script: str) -> None:
        """Run a script of bash where a program is called; its stand-in follows where the script neither exits nor replaces itself."""
        installed = self.root / "usr/local/bin" / program
        path = installed if installed.exists() else self.folder / "bin" / program
        follows = stand_in_script(program) if program in NAMES else ""
        path.write_text(f"#!/bin/bash\n{script}\n{follows.removeprefix('#!/bin/bash')}")
        path.chmod(0o755)

    def config(self) -> dict[str, Any]:
        """RKE2's configuration as it would read it: later files win, ``key+`` appends."""
        merged: dict[str, Any] = {}
        for file in sorted((self.root / "etc/rancher/rke2/config.yaml.d").glob("*.yaml")):
            for key, value in (yaml.safe_load(file.read_text()) or {}).items():
                if key.endswith("+"):
                    merged[key[:-1]] = [*merged.get(key[:-1], []), *value]
                else:
                    merged[key] = value
        return merged

    @property
    def environment(self) -> dict[str, str]:
        """The programs' environment: the sandbox, the emulator, and few attempts instead of forty minutes."""
        return {
            "PATH": f"{self._path}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "JOURNAL_STREAM": "8:1",  # as under systemd: what is printed is in the journal
            "VET_ROOT": str(self.root),
            "VET_MAX_ATTEMPTS": "6",
            "VET_CONFIRMATIONS": "2",
            "STAND_IN_SANDBOX": str(self.sandbox.folder),
            "STAND_IN_ADDRESS": self.address,
            "STAND_IN_PORTS": self.sandbox.stand_ins,
            "AWS_ENDPOINT_URL": self.sandbox.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def _write_files(self, user_data: str) -> None:
        for file in yaml.safe_load(user_data)["write_files"]:
            path = self.root / file["path"].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file["content"])
            path.chmod(int(file["permissions"], 8))

    def _stand_ins(self) -> Path:
        folder = self.folder / "bin"
        folder.mkdir()
        for name in NAMES:
            (folder / name).write_text(stand_in_script(name))
            (folder / name).chmod(0o755)
        for name in RECORDED_ONLY:
            (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{self.folder}/calls.log\n')
            (folder / name).chmod(0o755)
        (folder / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (folder / "sudo").chmod(0o755)
        return folder


def stand_in_script(name: str) -> str:
    """A program that has the server of stand-ins do its work, or does it itself where that may not have its files.

    It says who it is by a line of its trace: what it has as its output is what the server takes, so no redirection may stand in
    its place, and a fork costs more than all else here.
    """
    port = "${STAND_IN_PORTS#* }" if name == "aws" else "${STAND_IN_PORTS% *}"
    return f"""#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/{port}"
BASH_XTRACEFD=3 PS4="$$ {name} "
set -x
set +x
read -r -u 3 code
[ "$code" = plain ] || exit "${{code:-255}}"
exec {sys.executable} -I -S {STAND_INS}/stand_in.py {name} "$@"
"""


def stand_in_program(name: str) -> bytes:
    """Content of a download: kubectl is its stand-in, the credential provider is never run here."""
    return stand_in_script(name).encode() if name == "kubectl" else b"#!/bin/sh\n"
