"""What ``make doctor`` asks of the Kubernetes API: whether it answers, its nodes, its releases, and Rancher."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from operations.doctor.finding import CheckContext, Finding, Verdict
from operations.shared.kubeconfig import api_host, save
from operations.shared.servers import Cluster
from settings.namespaces import SERVER_SELECTOR


def api(context: CheckContext) -> Iterator[Finding]:
    """Whether the Kubernetes API answers, by the way that the environment provides, and what runs behind it."""
    cluster = Cluster(context.environment.name)
    if context.environment.access.api.access == "public":
        address = api_host(cluster, public=True)
        try:
            context.connect((address, 6443), 3.0).close()
        except OSError:
            yield Finding("API", "fails", f"{address} does not answer on 6443", "docs/runbooks/lost-quorum.md")
            return
    else:
        address = "127.0.0.1"
        if not context.tunnel(cluster):
            remedy = f"open the tunnel in another terminal: make kubeconfig ENV={context.environment.name} TUNNEL=yes"
            yield Finding("API", "later", "is private, and no tunnel is open here", remedy)
            return
    yield Finding("API", "ok", f"answers at {address}")
    if shutil.which("kubectl"):
        dedicated = context.environment.servers.dedicated
        yield from _inside([f"--kubeconfig={save(cluster, 'admin')}"], dedicated=dedicated)


def _inside(options: list[str], *, dedicated: bool) -> Iterator[Finding]:
    """Nodes, Helm releases and Rancher, by kubectl.

    :param dedicated: whether servers run nothing but the platform.
    """
    nodes = _kubectl("get", "nodes", *options)
    for node in nodes:
        ready = {each["type"]: each["status"] for each in node["status"]["conditions"]}.get("Ready")
        name, cordoned = node["metadata"]["name"], bool(node.get("spec", {}).get("unschedulable"))
        verdict: Verdict = "ok" if ready == "True" and not cordoned else "fails"
        text, remedy = "Ready" if ready == "True" else "not Ready", ""
        if cordoned:
            text += ", and takes no workloads: it is cordoned"
            remedy = f"make roll-agents or make roll-servers, if that was interrupted; else kubectl uncordon {name}"
        if ready != "True":
            remedy = "kubectl describe node; docs/runbooks/lost-server.md"
        yield Finding(f"node {name}", verdict, text, remedy)
    latest: dict[str, dict[str, str]] = {}
    for secret in _kubectl("get", "secrets", "--all-namespaces", "--selector=owner=helm", *options):
        labels = secret["metadata"]["labels"]
        if int(labels["version"]) >= int(latest.get(labels["name"], {"version": "0"})["version"]):
            latest[labels["name"]] = labels
    for name, labels in sorted(latest.items()):
        deployed = labels["status"] == "deployed"
        remedy = "" if deployed else "kubectl get events --all-namespaces; then make deploy again"
        yield Finding(
            f"release {name}",
            "ok" if deployed else "fails",
            f"{labels['status']}, revision {labels['version']}",
            remedy,
        )

    if latest.get("rancher", {}).get("status") == "deployed":
        yield _first_password(options)
        if dedicated:
            yield _fleet(options, nodes)


def _first_password(options: list[str]) -> Finding:
    """Rancher's own setting says whether its administrator's password was ever changed (rancher: pkg/settings, first-login)."""
    what = "Rancher's first password"
    settings = _kubectl("get", "settings.management.cattle.io", "--field-selector=metadata.name=first-login", *options)
    if not settings:
        return Finding(what, "later", "Rancher has not said yet whether it was used", "wait until Rancher has started")
    if (settings[0].get("value") or settings[0].get("default")) == "false":
        return Finding(what, "ok", "has been used, and is of no use any more")
    text = "nobody has used it yet: who has it, and reaches Rancher, is its administrator"
    return Finding(what, "fails", text, "log in and choose your own: docs/runbooks/rancher.md")


FLEET = ("cattle-fleet-system", "cattle-fleet-local-system")
"""Rancher's namespaces of Fleet: its controllers, and the agent of this cluster, whose account is the cluster's administrator."""


def _fleet(options: list[str], nodes: list[Any]) -> Finding:
    """Whether Fleet keeps off agents, which is a person's step (docs/decisions/0092-what-an-agent-holds.md)."""
    what, (label, _, value) = "Fleet's pods", SERVER_SELECTOR.partition("=")
    servers = {node["metadata"]["name"] for node in nodes if node["metadata"].get("labels", {}).get(label) == value}
    places = {
        f"{namespace}/{pod['metadata']['name']}": pod["spec"].get("nodeName")
        for namespace in FLEET
        for pod in _kubectl("get", "pods", f"--namespace={namespace}", *options)
        if pod["status"].get("phase") not in ("Succeeded", "Failed")
    }
    placed = {pod: node for pod, node in places.items() if node}
    if not placed:
        return Finding(what, "later", "are not there yet", "wait until Rancher has started")
    on_agents = [f"{pod} on {node}" for pod, node in sorted(placed.items()) if node not in servers]
    if not on_agents:
        return Finding(what, "ok", "run on servers alone")
    text = f"run on agents, and who holds such an agent holds the cluster: {', '.join(on_agents)}"
    return Finding(
        what, "fails", text, "annotate the namespace and delete the pods: docs/decisions/0092-what-an-agent-holds.md"
    )


def _kubectl(*arguments: str) -> list[Any]:
    command = ["kubectl", *arguments, "--output=json", "--request-timeout=10s"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    items: list[Any] = json.loads(answer.stdout)["items"]
    return items
