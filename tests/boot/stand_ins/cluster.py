"""Stand-ins for systemctl, RKE2 and kubectl over a small model of RKE2's own rules:

no etcd data and no ``server:`` starts a new cluster; with ``server:`` it joins that one; with data it starts what it
has. A member that etcd no longer lists cannot start. A cluster needs a majority of its members for anything.
"""

import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from state import ADDRESS, CONFIG, ROOT, SERVER_DATA, fail, locked_state, look, runs_real_etcd

if runs_real_etcd():  # loading it takes time, and a boot makes some fifty calls
    import real_etcd

State = dict[str, Any]


def cluster_of(state: State, address: str) -> State | None:
    """The cluster that the running server at an address belongs to."""
    machine = state["machines"].get(address, {})
    return state["clusters"][machine["cluster"]] if machine.get("running") else None


def has_quorum(state: State, cluster: State, address: str) -> bool:
    """Whether a majority of the voting members runs, as the server at an address sees it."""
    if "etcd" in state:
        return real_etcd.has_quorum(address)
    voting = [member for member in cluster["members"].values() if not member["learner"]]
    alive = [member for member in voting if state["machines"].get(member["address"], {}).get("running")]
    return len(alive) * 2 > len(voting)


def api_answers(state: State, address: str) -> bool:
    """Whether something answers on 6443: without quorum the API server still does, with errors."""
    return cluster_of(state, address) is not None and address not in state["unreachable"]


def systemctl(arguments: list[str]) -> None:
    """Start, stop and ask for units; only RKE2's mean something here."""
    words = [word for word in arguments if not word.startswith("-")]
    action, units = words[0], [unit if "." in unit else f"{unit}.service" for unit in words[1:]]
    running = look()["machines"].get(ADDRESS, {}).get("running", False)
    if action in ("is-active", "is-failed"):
        is_so = running if units[0].startswith(("rke2", "vet-boot")) else False
        if "--quiet" not in arguments:
            print("active" if is_so else "inactive")
        sys.exit(0 if is_so and action == "is-active" else 3)
    if action in ("stop", "restart") and units == ["rke2-server.service"]:
        with locked_state() as state:
            state["machines"].setdefault(ADDRESS, {})["running"] = False
        if runs_real_etcd():
            real_etcd.end(ROOT.parent)
    if action in ("start", "restart") and units == ["rke2-server.service"]:
        _start_server()
    elif action in ("start", "restart") and units == ["rke2-agent.service"]:
        _start_agent()


def _setting(key: str) -> str | None:
    for file in sorted((CONFIG / "config.yaml.d").glob("*.yaml"), reverse=True):
        match = re.search(rf"^{key}: \"?([^\"\n]*)", file.read_text(), re.MULTILINE)
        if match:
            return match[1]
    return None


KERNEL = ("vm.overcommit_memory = 1", "vm.panic_on_oom = 0", "kernel.panic = 10", "kernel.panic_on_oops = 1")
"""What RKE2's profile wants of the kernel (rancher/rke2 pkg/cli/cmds/profile_linux.go)."""


def _check_profile() -> None:
    """What RKE2 looks at before anything else where it is told a profile; the data's owner is the user that etcd runs as on this machine."""
    if _setting("profile") not in (None, "cis"):
        fail("rke2: invalid value provided for --profile flag")
    if not _setting("profile"):
        return
    for file in ("passwd", "group"):
        path = ROOT / "etc" / file
        if not path.exists() or not re.search("^etcd:", path.read_text(), re.MULTILINE):
            fail(f"rke2: missing required: unknown {'user' if file == 'passwd' else 'group'} etcd")
    settings = (ROOT / "etc/sysctl.d/60-vet.conf").read_text()
    if missing := [line for line in KERNEL if line not in settings.splitlines()]:
        fail(f"rke2: invalid kernel parameter value: {missing}")


def _own(database: Path) -> None:
    """With the profile RKE2 gives etcd's data to etcd's user, all of it, each time that it writes etcd's pod; only root can."""
    if not _setting("profile") or os.geteuid() != 0 or not database.exists():
        return
    (user,) = [line.split(":") for line in (ROOT / "etc/passwd").read_text().splitlines() if line.startswith("etcd:")]
    for path in (database, *database.rglob("*")):
        os.chown(path, int(user[2]), int(user[3]))


def _start_server() -> None:
    _check_profile()
    token = (CONFIG / "token").read_text().strip()
    if not token or not (CONFIG / "agent-token").read_text().strip():
        fail("rke2: token file is empty")
    if not (SERVER_DATA / "manifests" / "vet-cloud-controller.yaml").exists():
        fail("test: the cloud controller's manifest is missing at the start")
    name, join = str(_setting("node-name")), _setting("server")
    database = SERVER_DATA / "db/etcd"
    if runs_real_etcd():
        _start_real_etcd(name, re.sub(r"https://(.*):9345", r"\1", join or ""), token)
    elif (database / "member/wal").is_dir():
        _start_with_data(database)
    elif join:
        _join(str(re.match(r"https://(.*):9345", join)[1]), token, name, database)  # type: ignore[index]
    else:
        with locked_state() as state:
            cluster = f"cluster-{len(state['clusters'])}"
            state["clusters"][cluster] = {"token": token, "members": {}, "nodes": {}, "leases": {}, "secrets": []}
            _become_member(state, cluster, name, database)
    _own(database)


def _start_with_data(database: Path) -> None:
    name = (database / "name").read_text()
    with locked_state() as state:
        cluster = (database / "cluster").read_text()
        members = state["clusters"][cluster]["members"]
        if name not in members:
            fail("rke2: etcd: the member has been permanently removed from the cluster")
        if (CONFIG / "token").read_text().strip() != state["clusters"][cluster]["token"]:
            fail("rke2: bootstrap data already found and encrypted with different token")
        members[name] |= {"learner": False, "started": True}
        state["machines"][ADDRESS] = {"running": True, "cluster": cluster}
        _write_local(cluster, str(_setting("node-name")), state)


def _start_real_etcd(name: str, peer: str, token: str) -> None:
    """The same rules with etcd itself; what Kubernetes keeps (Nodes, Leases, Secrets, the token) stays in the model."""
    if (real_etcd.DATABASE / "member/wal").is_dir():
        cluster = (real_etcd.DATABASE / "cluster").read_text()
        if token != look()["clusters"][cluster]["token"]:
            fail("rke2: bootstrap data already found and encrypted with different token")
        real_etcd.begin()
        real_etcd.make_room()
    elif peer:
        state = look()
        _admitting(state, peer, token, name)
        cluster = state["machines"][peer]["cluster"]
        real_etcd.join(peer, f"{name}-{os.urandom(4).hex()}", cluster)
    else:
        with locked_state() as state:
            cluster = f"cluster-{len(state['clusters'])}"
            state["clusters"][cluster] = {"token": token, "members": {}, "nodes": {}, "leases": {}, "secrets": []}
        real_etcd.initialise(f"{name}-{os.urandom(4).hex()}", cluster)
    with locked_state() as state:
        state["machines"][ADDRESS] = {"running": True, "cluster": cluster}
        _write_local(cluster, name, state)
    if peer and peer != ADDRESS:
        real_etcd.promote(peer)


def _admitting(state: State, peer: str, token: str, name: str) -> State:
    """The cluster that a server joins through a peer, unless RKE2 refuses."""
    cluster = cluster_of(state, peer)
    if peer == ADDRESS or cluster is None or not has_quorum(state, cluster, peer):
        fail(f"rke2: cannot join through {peer}")
    assert cluster is not None
    if cluster["token"] != token:
        fail("rke2: token does not match the cluster's")
    if f"{name}.node-password.rke2" in cluster["secrets"]:
        fail("rke2: node password rejected, duplicate hostname")
    return cluster


def _join(peer: str, token: str, name: str, database: Path) -> None:
    with locked_state() as state:
        cluster = _admitting(state, peer, token, name)
        if any(member["address"] == ADDRESS for member in cluster["members"].values()):
            fail("etcd: Peer URLs already exists")
        if any(member["learner"] for member in cluster["members"].values()):
            state["violations"].append(f"{name} joined while another member was a learner")
        _become_member(state, state["machines"][peer]["cluster"], name, database, learner=True)
    time.sleep(look().get("join_seconds", 0))
    with locked_state() as state:
        etcd_name = (database / "name").read_text()
        state["clusters"][state["machines"][ADDRESS]["cluster"]]["members"][etcd_name]["learner"] = False


def _become_member(state: State, cluster: str, name: str, database: Path, *, learner: bool = False) -> None:
    (database / "member/wal").mkdir(parents=True)
    etcd_name = f"{name}-{os.urandom(4).hex()}"
    (database / "name").write_text(etcd_name)
    (database / "cluster").write_text(cluster)
    state["clusters"][cluster]["members"][etcd_name] = {
        "id": os.urandom(8).hex(),
        "address": ADDRESS,
        "learner": learner,
    }
    state["machines"][ADDRESS] = {"running": True, "cluster": cluster}
    _write_local(cluster, name, state)


def _write_local(cluster: str, name: str, state: State) -> None:
    (SERVER_DATA / "tls").mkdir(exist_ok=True)
    shown = state.get("cas", {}).get(ADDRESS, f"CA of {cluster}")  # what the server shows is what it has on its disk
    (SERVER_DATA / "tls/server-ca.crt").write_text(f"{shown}\n")
    (CONFIG / "rke2.yaml").write_text(f"server: https://{ADDRESS}:6443\n")
    state["clusters"][cluster]["nodes"][name] = {"server": True, "ready": "True", "provider": "", "address": ADDRESS}
    if f"{name}.node-password.rke2" not in state["clusters"][cluster]["secrets"]:
        state["clusters"][cluster]["secrets"].append(f"{name}.node-password.rke2")


def _start_agent() -> None:
    with locked_state() as state:
        token = (CONFIG / "token").read_text().strip()
        state["agents"].append({"address": ADDRESS, "token": token, "server": _setting("server")})
        state["machines"][ADDRESS] = {"running": False}


def rke2(arguments: list[str]) -> None:
    """The program itself: a cluster reset from a snapshot, taking one, and another token."""
    if arguments[:2] == ["etcd-snapshot", "save"]:
        if runs_real_etcd():
            real_etcd.save(f"{_setting('etcd-s3-folder')}/{arguments[-1]}", str(_setting("etcd-s3-bucket")))
        with locked_state() as state:
            state["snapshots"].append(arguments[-1])
        return
    if arguments[:2] == ["token", "rotate"]:
        _rotate_token(arguments[arguments.index("--token") + 1], arguments[arguments.index("--new-token") + 1])
        return
    _check_profile()
    restoring = arguments[-1].startswith("--cluster-reset-restore-path=")
    snapshot = arguments[-1].removeprefix("--cluster-reset-restore-path=")
    if _setting("server"):
        fail("cannot perform cluster-reset while server URL is set - remove server from configuration before resetting")
    if (SERVER_DATA / "db/reset-flag").exists():
        fail("Managed etcd cluster membership was previously reset, please remove the cluster-reset flag")
    database = SERVER_DATA / "db/etcd"
    if not restoring:
        _force_new_cluster(database)
        return
    name, cluster = str(_setting("node-name")), f"restored-{snapshot}"
    if runs_real_etcd():
        key = f"{_setting('etcd-s3-folder')}/{snapshot}"
        real_etcd.restore(key, str(_setting("etcd-s3-bucket")), f"{name}-{os.urandom(4).hex()}", cluster)
    elif database.exists():
        database.rename(SERVER_DATA / f"db/etcd-old-{time.time_ns()}")
    with locked_state() as state:
        # Node objects come back with the snapshot, those of other servers too.
        nodes = {f"ip-{address.replace('.', '-')}.ec2.internal": address for address in state["servers"]}
        state["clusters"].setdefault(cluster, {"nodes": {}, "leases": {}, "secrets": []})
        state["clusters"][cluster] |= {
            "token": (CONFIG / "token").read_text().strip(),
            "members": {},
            "nodes": {
                node: {"server": True, "ready": "Unknown", "provider": "", "address": at} for node, at in nodes.items()
            },
            "secrets": [f"{node}.node-password.rke2" for node in nodes],
        }
        state["resets"].append(snapshot)
        if "etcd" in state:
            state["machines"][ADDRESS] = {"running": False, "cluster": cluster}
            _write_local(cluster, name, state)
        else:
            _become_member(state, cluster, name, database)
        state["machines"][ADDRESS]["running"] = False
        (SERVER_DATA / "db/reset-flag").touch()


def _force_new_cluster(database: Path) -> None:
    """What is in the data stays, and this server is its only member."""
    if not (database / "member/wal").is_dir():
        fail("rke2: cluster-reset without data")
    if runs_real_etcd():
        real_etcd.force_new_cluster()
        with locked_state() as state:
            state["resets"].append("disk")
            (SERVER_DATA / "db/reset-flag").touch()
        return
    name, cluster = (database / "name").read_text(), (database / "cluster").read_text()
    with locked_state() as state:
        members = state["clusters"][cluster]["members"]
        state["clusters"][cluster]["members"] = {name: {**members[name], "address": ADDRESS, "learner": False}}
        state["resets"].append("disk")
        (SERVER_DATA / "db/reset-flag").touch()


def _rotate_token(token: str, new: str) -> None:
    with locked_state() as state:
        cluster = cluster_of(state, ADDRESS)
        if cluster is None or not has_quorum(state, cluster, ADDRESS):
            fail("rke2: cannot reach the server")
        assert cluster is not None
        if cluster["token"] != token:
            fail("rke2: the token is not the cluster's")
        cluster["token"] = new


def rke2_killall(_: list[str]) -> None:
    """End the pods, and delete what is mounted below RKE2's folder: what the real one of 1.26 does when it cannot
    unmount it."""
    (ROOT.parent / "killed").touch()
    if SERVER_DATA.is_symlink():
        for entry in SERVER_DATA.iterdir():
            shutil.rmtree(entry)
