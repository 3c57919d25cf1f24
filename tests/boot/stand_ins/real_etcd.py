"""etcd itself below the stand-in of RKE2: one process a server, each on an address of loopback that is its sandbox's own.

RKE2's part is played as it does it: a learner is added, started and promoted; a deleted Node's member is removed; a reset is
``etcdctl snapshot restore`` or ``--force-new-cluster``. Peers and clients speak plain HTTP; what the node programs see of addresses
and certificates is RKE2's.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from state import ADDRESS, ROOT, SANDBOX, SERVER_DATA, etcd_of, fail, look

State = dict[str, Any]

DATABASE = SERVER_DATA / "db/etcd"


def local(address: str) -> str:
    """The address of loopback that stands for a server's: its last number is the server's slot."""
    state = look()
    return f"127.{state['etcd']['network']}.{10 + state['servers'].index(address)}"


def peer_url(address: str) -> str:
    """Where the other members find a server's etcd."""
    return f"http://{local(address)}:2380"


def as_shown(text: str) -> str:
    """What etcdctl printed, with the addresses and the protocol of a real server."""
    for address in look()["servers"]:
        text = text.replace(f"http://{local(address)}:", f"https://{address}:")
    return text


def control(address: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run etcdctl against one server's etcd."""
    program = look()["etcd"]["etcdctl"]
    options = ["--endpoints", f"http://{local(address)}:2379", "--command-timeout", "4s"]
    return subprocess.run([*program, *options, *words], capture_output=True, text=True)


def has_quorum(address: str) -> bool:
    """Whether the etcd of a server answers a linearizable read; a full database still does."""
    connection = HTTPConnection(local(address), 2379, timeout=3)
    with suppress(OSError, ValueError, HTTPException), closing(connection):
        connection.request("GET", "/health?exclude=NOSPACE")
        return str(json.load(connection.getresponse())["health"]) == "true"
    return False


def health(address: str) -> str | None:
    """What the etcd of a server says of its health, word by word; None when nothing listens."""
    connection = HTTPConnection(local(address), 2381, timeout=10)
    try:
        with closing(connection):
            connection.request("GET", "/health")
            return connection.getresponse().read().decode()
    except ConnectionRefusedError:
        return None
    except (OSError, HTTPException):
        return ""


def members(address: str) -> list[dict[str, Any]]:
    """The members as one server's etcd lists them, with ``id`` in hexadecimal; fails without a majority."""
    answer = control(address, "member", "list", "--write-out", "json")
    if answer.returncode:
        fail(f"etcd on {address}: {answer.stderr}")
    listed: list[dict[str, Any]] = json.loads(answer.stdout)["members"]
    return [member | {"id": f"{member['ID']:x}"} for member in listed]


def end(folder: Path) -> None:
    """End a machine's etcd at once, as power loss does."""
    number = etcd_of(folder)
    if number is not None:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        while etcd_of(folder) is not None:
            time.sleep(0.02)
    (folder / "etcd.pid").unlink(missing_ok=True)


def begin(*options: str, wait: float = 6) -> None:
    """Start this machine's etcd on its data; ends with it when it refuses, else when it has a majority or after a while."""
    folder = ROOT.parent
    end(folder)
    if (SERVER_DATA.resolve().parents[1] / "full").exists():  # a schedule's word for a full data volume
        fail("rke2: etcd: write: no space left on device")
    state, url = look(), f"http://{local(ADDRESS)}"
    name = (DATABASE / "name").read_text()
    command = [*state["etcd"]["etcd"], "--name", name, "--data-dir", str(DATABASE), "--log-level", "warn"]
    for listening in ("--listen-peer-urls", "--initial-advertise-peer-urls"):
        command += [listening, f"{url}:2380"]
    for listening in ("--listen-client-urls", "--advertise-client-urls"):
        command += [listening, f"{url}:2379"]
    command += ["--listen-metrics-urls", f"{url}:2381"]  # as RKE2 does; it answers before etcd has a majority
    command += ["--quota-backend-bytes", str(state["etcd"]["quota"]), *options]
    with (folder / "etcd.log").open("a") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (folder / "etcd.pid").write_text(str(process.pid))
    _wait_for_majority(process, wait)


def _wait_for_majority(process: "subprocess.Popen[bytes]", wait: float) -> None:
    until = time.monotonic() + wait
    while time.monotonic() < until and not has_quorum(ADDRESS):
        if process.poll() is not None:
            fail(f"rke2: etcd ended: {last_words()}")
        time.sleep(0.1)


def last_words() -> str:
    """The end of etcd's log."""
    return (ROOT.parent / "etcd.log").read_text()[-400:]


def make_room() -> None:
    """What RKE2 does at each start: defragment this server's database, and clear the alarms (k3s, ``pkg/etcd``: ``Test``)."""
    if has_quorum(ADDRESS):
        control(ADDRESS, "defrag")
        control(ADDRESS, "alarm", "disarm")


def name_database(name: str, cluster: str) -> None:
    """Write what RKE2 keeps beside etcd's data: the member's name; and, for the stand-in, whose data it is."""
    DATABASE.mkdir(parents=True, exist_ok=True)
    (DATABASE / "name").write_text(name)
    (DATABASE / "cluster").write_text(cluster)


def initialise(name: str, cluster: str) -> None:
    """Begin a cluster of one member."""
    name_database(name, cluster)
    begin("--initial-cluster", f"{name}={peer_url(ADDRESS)}", wait=20)


PASSING = ("unhealthy cluster", "too many learner members")
"""Why etcd takes no member in the first seconds after another one has come; RKE2's unit is started again until it does."""


def join(peer: str, name: str, cluster: str, seconds: float = 60) -> None:
    """Be added as a learner through a peer, and start."""
    until = time.monotonic() + seconds
    while True:
        added = control(peer, "member", "add", name, "--learner", f"--peer-urls={peer_url(ADDRESS)}")
        if added.returncode == 0:
            break
        if time.monotonic() > until or not any(reason in added.stderr for reason in PASSING):
            fail(f"etcd: {added.stderr}")
        time.sleep(1)
    others = [f"{member['name']}={member['peerURLs'][0]}" for member in members(peer) if member.get("name")]
    name_database(name, cluster)
    begin(
        "--initial-cluster",
        ",".join([*others, f"{name}={peer_url(ADDRESS)}"]),
        "--initial-cluster-state",
        "existing",
        wait=0,
    )


def promote(peer: str, seconds: float = 30) -> None:
    """Let this server's member vote as soon as it has caught up, as RKE2 does in the background of a start."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        own = next((member for member in members(peer) if member["peerURLs"] == [peer_url(ADDRESS)]), None)
        if own is None:
            fail("rke2: etcd: this member was removed while it joined")
        assert own is not None
        if not own.get("isLearner"):
            return
        if etcd_of(ROOT.parent) is None:
            fail(f"rke2: etcd ended: {last_words()}")
        control(peer, "member", "promote", own["id"])
        time.sleep(0.1)


def remove(peer: str, address: str, seconds: float = 30) -> None:
    """Remove the member with a server's address, where there is one; RKE2 holds the Node back until etcd has let it go."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        member = next((member for member in members(peer) if member["peerURLs"] == [peer_url(address)]), None)
        if member is None:
            return
        answer = control(peer, "member", "remove", member["id"])
    fail(f"rke2: etcd does not remove the member of {address}: {answer.stderr}")


def save(name: str, bucket: str) -> None:
    """Take a snapshot and put it where RKE2 puts it."""
    file = SANDBOX / f"snapshot-{os.getpid()}"
    answer = control(ADDRESS, "snapshot", "save", str(file))
    if answer.returncode:
        fail(f"etcd-snapshot: {answer.stderr}")
    subprocess.run(["aws", "s3api", "put-object", "--bucket", bucket, "--key", name, "--body", str(file)], check=True)
    file.unlink()


def restore(key: str, bucket: str, name: str, cluster: str) -> None:
    """Make a database of one member, with a new cluster id, from a snapshot; etcd looks at it and is stopped again."""
    file = SANDBOX / f"snapshot-{os.getpid()}"
    got = ["aws", "s3api", "get-object", "--bucket", bucket, "--key", key, str(file)]
    if subprocess.run(got, stdout=subprocess.DEVNULL).returncode:
        fail(f"rke2: the snapshot {key} cannot be had")
    if DATABASE.exists():
        DATABASE.rename(DATABASE.with_name(f"etcd-old-{time.time_ns()}"))
    command = [
        *look()["etcd"]["etcdctl"],
        "snapshot",
        "restore",
        str(file),
        "--data-dir",
        str(DATABASE),
        "--name",
        name,
    ]
    command += ["--initial-cluster", f"{name}={peer_url(ADDRESS)}", "--initial-advertise-peer-urls", peer_url(ADDRESS)]
    command += ["--initial-cluster-token", os.urandom(8).hex()]
    answer = subprocess.run(command, capture_output=True, text=True)
    file.unlink()
    if answer.returncode:
        fail(f"rke2: etcd: {answer.stderr}")
    name_database(name, cluster)
    begin(wait=20)
    end(ROOT.parent)


def force_new_cluster() -> None:
    """Make this server's data a cluster of this member alone; etcd is stopped again."""
    begin("--force-new-cluster", wait=20)
    if not has_quorum(ADDRESS):
        fail(f"rke2: etcd does not start on its data: {last_words()}")
    end(ROOT.parent)


def exec_etcdctl(pod: str, command: list[str]) -> int:
    """What ``kubectl exec`` runs in the pod of a server's etcd."""
    words, skip = [], False
    for word in command:
        if skip:
            skip = False
        elif word in ("--command-timeout", "--cacert", "--cert", "--key", "--endpoints"):
            skip = True
        else:
            words.append(word)
    answer = control(pod.removeprefix("etcd-"), *words)
    print(as_shown(answer.stdout), end="")
    print(as_shown(answer.stderr), end="", file=sys.stderr)
    return answer.returncode
