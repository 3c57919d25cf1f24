"""A pod's limits for a process here: cgroup v1 or v2 where it can be written, else a systemd scope, else none.

Code that prints figures says which of them it was: without a limit they tell nothing about a pod.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds; the kernel's and Kubernetes' default


@dataclass
class Limits:
    """CPU in cores, memory in bytes, and the groups that hold a process to them (none where nothing could be set)."""

    cpu: float
    memory: int
    kind: str = ""
    folders: List[Path] = field(default_factory=list)
    scope: List[str] = field(default_factory=list)

    @property
    def prefix(self) -> List[str]:
        """The command in front of a command, which puts it into the groups."""
        if not self.folders:
            return self.scope
        folders = " ".join(str(folder) for folder in self.folders)
        return ["sh", "-c", f'for group in {folders}; do echo $$ > "$group/cgroup.procs"; done; exec "$@"', "sh"]

    def working_set(self) -> Optional[int]:
        """Bytes in use as Kubernetes counts them: without file pages that can be dropped. None without a group."""
        folder = self._memory()
        if folder is None:
            return None
        used = _number(folder / ("memory.current" if self.kind == "cgroup v2" else "memory.usage_in_bytes"))
        statistics = _table(folder / "memory.stat")
        return used - statistics.get("total_inactive_file", statistics.get("inactive_file", 0))

    def kills(self) -> int:
        """Processes that the kernel ended for lack of memory."""
        folder = self._memory()
        if folder is None:
            return 0
        return _table(folder / ("memory.events" if self.kind == "cgroup v2" else "memory.oom_control")).get(
            "oom_kill", 0
        )

    def throttled(self) -> float:
        """The share of the periods in which the CPU was used up, 0 to 1."""
        for folder in self.folders:
            statistics = _table(folder / "cpu.stat") if (folder / "cpu.stat").exists() else {}
            if statistics.get("nr_periods"):
                return statistics["nr_throttled"] / statistics["nr_periods"]
        return 0.0

    def remove(self) -> None:
        """Remove the groups, once their processes are gone."""
        for folder in self.folders:
            for _try in range(50):
                try:
                    folder.rmdir()
                except OSError:
                    time.sleep(0.1)
                else:
                    break

    def _memory(self) -> Optional[Path]:
        return next((folder for folder in self.folders if (folder / "memory.stat").exists()), None)


def pod(cpu: float, memory: int) -> Limits:
    """The strictest limits that this machine lets us set."""
    for attempt in (_version_2, _version_1):
        limits = Limits(cpu, memory)
        try:
            attempt(limits, f"vet-load-{os.getpid()}")
        except OSError:
            limits.remove()
        else:
            return limits
    limits = Limits(cpu, memory)
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS") and shutil.which("systemd-run"):
        limits.kind = "systemd scope"
        limits.scope = ["systemd-run", "--user", "--scope", "--quiet", "-p", f"CPUQuota={cpu:.0%}",
                         "-p", f"MemoryMax={memory}", "-p", "MemorySwapMax=0"]  # fmt: skip
    return limits


def _version_2(limits: Limits, name: str) -> None:
    if not {"cpu", "memory"} <= set((ROOT / "cgroup.controllers").read_text().split()):
        raise OSError("cpu and memory are not controlled by cgroup v2 here")
    (ROOT / "cgroup.subtree_control").write_text("+cpu +memory")
    folder = _make(limits, ROOT / name)
    (folder / "cpu.max").write_text(f"{int(limits.cpu * PERIOD)} {PERIOD}")
    (folder / "memory.max").write_text(str(limits.memory))
    limits.kind = "cgroup v2"


def _version_1(limits: Limits, name: str) -> None:
    cpu = _make(limits, ROOT / "cpu" / name)
    (cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
    (cpu / "cpu.cfs_quota_us").write_text(str(int(limits.cpu * PERIOD)))
    memory = _make(limits, ROOT / "memory" / name)
    (memory / "memory.limit_in_bytes").write_text(str(limits.memory))
    limits.kind = "cgroup v1"


def _make(limits: Limits, folder: Path) -> Path:
    folder.mkdir()
    limits.folders.append(folder)
    return folder


def _number(file: Path) -> int:
    return int(file.read_text())


def _table(file: Path) -> Dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}


def resident(pid: int) -> int:
    """Bytes of a process and its children, shared pages counted once (PSS): for machines without a group."""
    total, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        waiting += children(process)
    return total


def children(pid: int) -> List[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
