"""Stand-in for kubectl: the few questions and orders that the node programs have, answered from the sandbox's model."""

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cluster import State, api_answers, cluster_of, has_quorum
from state import fail, locked_state, look, runs_real_etcd

if runs_real_etcd():
    import real_etcd

NEW_LEASE = re.compile(r'holderIdentity: "([^"]*)".*renewTime: "([^"]*)"')

PATHS = {"holder": ".spec.holderIdentity", "renewed": ".spec.renewTime", "version": ".metadata.resourceVersion"}


def kubectl(arguments: list[str]) -> None:
    """Find the server by the kubeconfig, refuse without quorum, then answer."""
    kubeconfig = Path(arguments[arguments.index("--kubeconfig") + 1])
    if not kubeconfig.exists():
        fail(f"error: stat {kubeconfig}: no such file or directory")
    address = re.search(r"https://([0-9.]+):6443", kubeconfig.read_text())[1]  # type: ignore[index]
    words = _without_options(arguments)
    # Before the lock: who writes to this pipe may ask kubectl something first.
    manifest = sys.stdin.read() if "-f" in arguments else ""
    # Outside the lock: etcd may take seconds to say that it has no majority.
    majority = not runs_real_etcd() or real_etcd.has_quorum(address)
    with locked_state() as state:
        if not api_answers(state, address):
            fail(f"Unable to connect to the server: dial tcp {address}:6443: i/o timeout")
        cluster = cluster_of(state, address)
        assert cluster is not None
        # [pattern, times, message]: fail so many calls that match.
        for failure in state.get("kubectl_failures", []):
            if failure[0] in f"{address} {' '.join(arguments)}" and failure[1] > 0:
                failure[1] -= 1
                wrong = failure[2]
                break
        else:
            majority = majority if "etcd" in state else has_quorum(state, cluster, address)
            wrong = "" if majority else "Error from server: etcdserver: request timed out"
        of_etcd = "etcd" in state and not wrong and (words[0] == "exec" or words[:2] == ["delete", "node"])
        if not wrong and not of_etcd:
            _answer(words, arguments, manifest, state, cluster)
    if wrong:
        fail(wrong)
    if of_etcd and words[0] == "exec":
        sys.exit(real_etcd.exec_etcdctl(words[1], arguments[arguments.index("etcdctl") + 1 :]))
    if of_etcd:
        _delete_node(words[2], address)


def _delete_node(name: str, address: str) -> None:
    """RKE2 removes the etcd member of a Node that is deleted, before the Node goes."""
    node = _node(look(), address, name)
    if node and node["server"]:
        real_etcd.remove(address, node["address"])
    with locked_state() as state:
        if node:
            del state["clusters"][state["machines"][address]["cluster"]]["nodes"][name]


def _node(state: State, address: str, name: str) -> State | None:
    cluster = cluster_of(state, address)
    node: State | None = cluster["nodes"].get(name) if cluster else None
    return node


def _without_options(arguments: list[str]) -> list[str]:
    taking_value = {
        "--kubeconfig",
        "--request-timeout",
        "-n",
        "-o",
        "-l",
        "--selector",
        "--namespace",
        "--duration",
        "--timeout",
        "-f",
        "--field-manager",
    }
    words, skip = [], False
    for word in arguments:
        if skip:
            skip = False
        elif word in taking_value:
            skip = True
        elif word == "--":
            continue
        elif not word.startswith("--") or word == "--raw":
            words.append(word)
    return words


def _answer(words: list[str], arguments: list[str], manifest: str, state: State, cluster: State) -> None:
    match words:
        case ["get", "--raw", path]:
            print(_raw(path, state), end="")
        case ["exec", _, "etcdctl", *command]:
            _etcdctl(command, "--cluster" in arguments, state, cluster)
        case ["get", "pods"]:
            host = re.search(r'hostIP=="([0-9.]+)"', " ".join(arguments))[1]  # type: ignore[index]
            print(f"etcd-{host}", end="")
        case ["get", "node", name]:
            if name not in cluster["nodes"]:
                fail(f'Error from server (NotFound): nodes "{name}" not found')
            asked_of = "unschedulable" if "unschedulable" in " ".join(arguments) else "ready"
            print(cluster["nodes"][name].get(asked_of, ""), end="")
        case ["get", "nodes"]:
            _nodes(" ".join(arguments), cluster)
        case ["delete", "node", name]:
            node = cluster["nodes"].pop(name, None)
            # RKE2 removes the etcd member of a Node that is deleted, before the Node goes.
            if node and node["server"]:
                cluster["members"] = {
                    key: member for key, member in cluster["members"].items() if member["address"] != node["address"]
                }
        case ["cordon" | "uncordon" as word, name]:
            cluster["nodes"][name]["unschedulable"] = "true" if word == "cordon" else ""
        case ["drain", name]:
            cluster["nodes"][name]["drained"] = True
        case ["delete", "secret", name]:
            cluster["secrets"] = [secret for secret in cluster["secrets"] if secret != name]
        case ["get", "serviceaccount", name]:
            print(f"serviceaccount/{name}" if name in state["accounts"] else "", end="")
        case ["create", "token", role]:
            token, expires = f"token-{role}-{os.urandom(16).hex()}", datetime.now(UTC) + timedelta(hours=12)
            state["tokens"].append(token)
            print(token, expires.strftime("%Y-%m-%dT%H:%M:%SZ"), end="")
        case ["apply"]:
            state["applied"].append(manifest)
            state["accounts"] = sorted(
                {*state["accounts"], *re.findall(r"ServiceAccount\nmetadata: {name: (\w+)", manifest)}
            )
        case _:
            _lease(words, manifest, " ".join(arguments), cluster)


def _lease(words: list[str], manifest: str, question: str, cluster: State) -> None:
    lease = cluster["leases"].get("vet-server-join")
    match words:
        case ["get", "lease", _]:
            asked = (
                [str(lease[part]) for part in ("holder", "version", "renewed") if PATHS[part] in question]
                if lease
                else []
            )
            print(*asked, sep="|", end="")
        case ["delete", "lease", _]:
            cluster["leases"].clear()
        case ["create"] | ["replace"]:
            holder, renewed = NEW_LEASE.search(manifest).groups()  # type: ignore[union-attr]
            if words == ["create"] and lease:
                fail('Error from server (AlreadyExists): leases.coordination.k8s.io "vet-server-join" already exists')
            version = re.search(r'resourceVersion: "(\d+)"', manifest)
            if words == ["replace"] and (not lease or not version or version[1] != str(lease["version"])):
                fail("Error from server (Conflict): the object has been modified")
            cluster["leases"]["vet-server-join"] = {
                "holder": holder,
                "renewed": renewed,
                "version": (lease or {"version": 0})["version"] + 1,
            }
        case _:
            fail(f"test: kubectl {words} has no stand-in", 99)


def _raw(path: str, state: State) -> str:
    issuer = state["issuer"]
    documents: dict[str, Any] = {
        "/readyz": "ok",
        "/.well-known/openid-configuration": json.dumps({"issuer": issuer, "jwks_uri": f"{issuer}/openid/v1/jwks"}),
        "/openid/v1/jwks": json.dumps({"keys": [state["jwk"]]}, separators=(",", ":")),
    }
    return str(documents[path])


def _etcdctl(command: list[str], every_member: bool, state: State, cluster: State) -> None:
    words = [word for word in command if not word.startswith("-") and not word.startswith("/") and word != "20s"]
    match words:
        case ["member", "list"]:
            for name, member in cluster["members"].items():
                url = f"https://{member['address']}"
                status, shown = ("started", name) if member.get("started", True) else ("unstarted", "")
                print(f"{member['id']}, {status}, {shown}, {url}:2380, {url}:2379, {str(member['learner']).lower()}")
        case ["member", "remove", identity]:
            cluster["members"] = {key: member for key, member in cluster["members"].items() if member["id"] != identity}
        case ["endpoint", "health"]:
            down = [
                member
                for member in cluster["members"].values()
                if not state["machines"].get(member["address"], {}).get("running")
            ]
            for member in cluster["members"].values() if every_member else ():
                word = "unhealthy: failed to commit" if member in down else "healthy: successfully committed"
                print(f"https://{member['address']}:2379 is {word} proposal")
            if every_member and down:
                fail("unhealthy cluster")
        case ["alarm", "list"]:
            print("\n".join(f"memberID:1 alarm:{alarm} " for alarm in state.get("alarms", [])))
        case ["endpoint", "status", *_]:
            print('"Leader" : 1\n"DBSize" : 20971520\n"DBSizeInUse" : 10485760')
        case _:
            fail(f"test: etcdctl {words} has no stand-in", 99)


def _nodes(question: str, cluster: State) -> None:
    wants_servers = "node-role.kubernetes.io/etcd=true" in question
    for name, node in cluster["nodes"].items():
        if wants_servers and node["server"]:
            print(node["ready"])
        elif not wants_servers and not node["server"]:
            print(name, node["provider"], node["ready"])
