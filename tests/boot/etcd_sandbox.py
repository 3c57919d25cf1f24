"""Sandboxes whose servers run etcd itself, and a client that notes what etcd acknowledged.

etcd is built once from ``tests/boot/etcd`` (the line of the release sets) into the folder ``.cache``; where no Go is available, Debian's
older one serves. It listens on addresses of loopback that are a sandbox's own.
"""

import base64
import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.request import Request, urlopen

from tests.boot.machine import Machine
from tests.boot.sandbox import SUBNETS, Sandbox

SOURCE = Path(__file__).parent / "etcd"
CACHE = Path(__file__).parents[2] / ".cache"
STAND_INS = Path(__file__).parent / "stand_ins"

MISSING = (
    "no etcd: install Go (the package golang, or https://go.dev/dl) and it is built on first use, or install Debian's"
    " packages etcd-server and etcd-client"
)
DEFAULT_QUOTA = 64 << 20


@cache
def programs() -> dict[str, list[str]] | None:
    """How ``etcd`` and ``etcdctl`` are run; None where neither Go nor Debian's packages are.

    Raises:
        RuntimeError: there is Go, and it cannot build; its words are in the message.
    """
    go = shutil.which("go")
    if go is None:
        paths = {name: shutil.which(name) for name in ("etcd", "etcdctl")}
        return {name: [path] for name, path in paths.items() if path} if all(paths.values()) else None
    content = b"".join((SOURCE / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
    program = CACHE / f"etcd-{hashlib.sha256(content).hexdigest()[:12]}"
    if not program.exists():
        CACHE.mkdir(exist_ok=True)
        temporary = program.with_suffix(
            f".{random.randrange(1 << 32):x}"
        )  # tests that run side by side build each its own
        built = subprocess.run([go, "build", "-o", temporary, "."], cwd=SOURCE, capture_output=True, text=True)
        if built.returncode:
            raise RuntimeError(f"go build in {SOURCE} failed; without Go Debian's etcd is used: {built.stderr}")
        temporary.rename(program)
    return {name: [str(program), name] for name in ("etcd", "etcdctl")}


class EtcdMachine(Machine):
    """A machine whose etcd is a process: power that is lost ends it."""

    def _stand_ins(self) -> Path:
        """As ever, with a clock that may be off (the file "clock", in seconds) and a data volume that may be full (the file "full" on it)."""
        folder = super()._stand_ins()
        full = self.sandbox.folder / "volumes" / str(self.volume) / "full"
        texts = {
            "date": 'case " $* " in *" --date "*) ;; *) [ ! -e "$HOME/clock" ] || set -- --date "$(cat "$HOME/clock") seconds" "$@" ;; esac\n'
            'exec /usr/bin/date "$@"\n',
            "head": f'[ ! -e {full} ] || {{ echo "head: write error: No space left on device" >&2; exit 1; }}\nexec /usr/bin/head "$@"\n',
        }
        for name, text in texts.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}")
            (folder / name).chmod(0o755)
        return folder

    @property
    def environment(self) -> dict[str, str]:
        """As ever, with more attempts: an election takes seconds."""
        return super().environment | {"VET_MAX_ATTEMPTS": "40", "VET_CONFIRMATIONS": "5"}

    def power_off(self) -> None:
        """Nothing runs any more, etcd included."""
        self.etcd("end")
        super().power_off()

    def etcd(self, action: str, *options: str, **settings: Any) -> None:
        """Do to this machine's etcd what the stand-in of RKE2 does."""
        arguments = "ROOT.parent" if action == "end" else f"*{list(options)!r}, **{settings!r}"
        subprocess.run(
            [sys.executable, "-c", f"import real_etcd; from state import ROOT; real_etcd.{action}({arguments})"],
            cwd=STAND_INS,
            env=self.environment,
            check=True,
        )


class EtcdSandbox(Sandbox):
    """A sandbox whose servers run etcd itself; :meth:`end` stops what still runs."""

    machine_type = EtcdMachine

    def __post_init__(self) -> None:
        super().__post_init__()
        network = f"{random.randrange(1, 255)}.{random.randrange(255)}"
        self.change(etcd={**(programs() or {}), "network": network, "quota": DEFAULT_QUOTA}, sleep=0.3)
        self._machines: list[EtcdMachine] = []

    def server(self, slot: int, volume: str | None = None) -> EtcdMachine:
        """A freshly created server."""
        machine = super().server(slot, volume)
        assert isinstance(machine, EtcdMachine)
        self._machines.append(machine)
        return machine

    def running_cluster(self) -> list[EtcdMachine]:
        """A cluster as its servers left it, without booting them: each etcd runs with the others as its members."""
        machines = super().running_cluster()
        state = self.state
        names = [machine.on_volume("server/db/etcd/name").read_text() for machine in machines]
        urls = [f"http://127.{state['etcd']['network']}.{10 + slot}:2380" for slot in range(self.servers)]
        members = ",".join(f"{name}={url}" for name, url in zip(names, urls, strict=True))
        for machine in self._machines:
            shutil.rmtree(machine.on_volume("server/db/etcd/member"))
            machine.etcd("begin", "--initial-cluster", members, wait=0)
        until = time.monotonic() + 30
        while not all(self.healthy(machine) for machine in machines):
            assert time.monotonic() < until, "etcd has no majority after 30 s"
            time.sleep(0.2)
        return list(self._machines)

    def healthy(self, machine: Machine) -> bool:
        """Whether a server's etcd has a majority."""
        return client(self, machine.address).get("probe") is not None

    def members(self) -> list[str]:
        """Addresses of the members that vote, as any etcd that has a majority lists them."""
        return sorted(member["address"] for member in self.listed() if not member.get("isLearner"))

    def listed(self) -> list[dict[str, Any]]:
        """The members as an etcd with a majority lists them."""
        for address in self.state["servers"]:
            try:
                response = client(self, address).call("cluster/member/list", {"linearizable": True})
            except OSError:
                continue
            return [member | {"address": self._address(member["peerURLs"][0])} for member in response["members"]]
        return []

    def remove(self, machine: Machine) -> None:
        """Take a server's member out, as a person does: asked again until a majority lists it no more, since an election may be under way."""
        until = time.monotonic() + 30
        while True:
            listed = self.listed()
            gone = [each for each in listed if each["address"] == machine.address]
            if listed and not gone:
                return
            assert time.monotonic() < until, f"after 30 s etcd lists {listed or 'nobody: it has no majority'}"
            for address in self.state["servers"] if gone else []:
                with suppress(OSError):
                    client(self, address).call("cluster/member/remove", {"ID": gone[0]["ID"]})
                    break
            time.sleep(0.2)

    def cluster_ids(self) -> set[str]:
        """Ids of the clusters that the running servers with a majority are of: more than one is what must never be."""
        ids = set()
        for address in self.state["servers"]:
            answer = client(self, address).get("probe")
            if answer is not None:
                ids.add(str(answer["header"]["cluster_id"]))
        return ids

    def problems(self) -> list[str]:
        """What must never be."""
        problems = list(self.state["violations"])
        if len(ids := self.cluster_ids()) > 1:
            problems.append(f"{len(ids)} clusters have a majority each: {sorted(ids)}")
        addresses = [member["address"] for member in self.listed()]
        if len(set(addresses)) != len(addresses):
            problems.append(f"a server is a member twice: {addresses}")
        return problems

    def end(self) -> None:
        """Stop every etcd, and remove its files: each has 64 MB of log from its first moment."""
        for machine in self._machines:
            machine.etcd("end")
        shutil.rmtree(self.folder)

    def _address(self, url: str) -> str:
        return SUBNETS[int(url.rsplit(":", 1)[0].rsplit(".", 1)[1]) - 10]


@dataclass(frozen=True)
class Client:
    """A client of one server's etcd, over its JSON gateway."""

    url: str

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask; raises OSError where nothing answers, or etcd refuses."""
        request = Request(f"{self.url}/v3/{path}", json.dumps(body).encode())
        with urlopen(request, timeout=4) as answer:
            response: dict[str, Any] = json.load(answer)
        return response

    def get(self, key: str) -> dict[str, Any] | None:
        """A linearizable read, as etcd answers it; None without a majority."""
        try:
            return self.call("kv/range", {"key": _coded(key)})
        except OSError:
            return None

    def put(self, key: str, value: str) -> bool:
        """Whether a write was acknowledged."""
        try:
            self.call("kv/put", {"key": _coded(key), "value": _coded(value)})
        except OSError:
            return False
        return True

    def values(self, prefix: str) -> set[str]:
        """Every key below a prefix, as a majority has it."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        response = self.call("kv/range", {"key": _coded(prefix), "range_end": _coded(end), "keys_only": True})
        return {base64.b64decode(each["key"]).decode() for each in response.get("kvs", [])}


def client(sandbox: Sandbox, address: str) -> Client:
    """A client of the server at an address."""
    state = sandbox.state
    return Client(f"http://127.{state['etcd']['network']}.{10 + state['servers'].index(address)}:2379")


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@dataclass
class Writer:
    """Appends through whichever server answers, and remembers what was acknowledged."""

    sandbox: EtcdSandbox
    acknowledged: list[str] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.clients = [client(self.sandbox, address) for address in self.sandbox.state["servers"]]

    def append(self) -> bool:
        """One more write; whether it was acknowledged."""
        self.number += 1
        key = f"writer/{self.number:06d}"
        for asked in self.clients:
            if asked.put(key, "written"):
                self.acknowledged.append(key)
                return True
        return False

    def lost(self) -> list[str]:
        """What was acknowledged and is not there any more."""
        for asked in self.clients:
            if asked.get("probe") is not None:
                return sorted(set(self.acknowledged) - asked.values("writer/"))
        return ["everything: no server answers"]

    @contextmanager
    def going_on(self) -> Iterator["Writer"]:
        """Keep appending beside what happens in the meantime."""
        stop = Event()

        def write() -> None:
            while not stop.is_set():
                self.append()
                stop.wait(0.2)

        thread = Thread(target=write)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
