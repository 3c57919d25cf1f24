"""What the accounts of the platform's controllers may do: a real API is asked, with the rights that their charts give them in each release set.

What matters of an account is what anybody who holds its pod gets, so these are few and sharp questions, and all of the cluster's namespaces.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from operations.devtools.emulator.kubernetes import Kubernetes
from settings.release_sets import release_set
from tests.platform.rights import Question, allowed, apply
from tests.unit.releases.samples import NAMESPACES, Manifest, helm_template, merged


def asked_about(set_name: str) -> tuple[str, ...]:
    """Charts of others in a set; Traefik takes ingress-nginx's place where ``cluster.ingress`` asks for it."""
    return tuple(release for release in NAMESPACES if release in release_set(set_name) and release != "traefik")


READ, CHANGE = ("get", "list", "watch"), ("patch", "update")

QUESTIONS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "reads every Secret": (READ, ["secrets"]),
    "makes pods in every namespace": (["create"], ["pods"]),
    "opens a shell in every pod": (["create"], ["pods/exec"]),
    "makes everybody's tokens": (["create"], ["serviceaccounts/token"]),
    "is whom it likes": (["impersonate"], ["users", "groups", "serviceaccounts"]),
    "gives out every right": (["escalate"], ["clusterroles.rbac.authorization.k8s.io"]),
    "changes webhooks": (
        CHANGE,
        [f"{kind}webhookconfigurations.admissionregistration.k8s.io" for kind in ("mutating", "validating")],
    ),
    "changes every Node": (CHANGE, ["nodes", "nodes/status"]),
    "deletes every Node": (["delete"], ["nodes"]),
    "deletes volumes": (["delete"], ["persistentvolumes"]),
    "evicts every pod": (["create"], ["pods/eviction"]),
    "changes every Ingress": (CHANGE, ["ingresses.networking.k8s.io"]),
}
"""What is asked of each account: one of these verbs on one of these kinds, in all namespaces."""

RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def manifests(set_name: str, helm: str, charts: Path) -> list[Manifest]:
    """The rights in the charts, as prod gives them their values."""
    releases, objects = release_set(set_name), []
    for release in asked_about(set_name):
        chart = charts / f"{releases[release].chart.name}-{releases[release].version}"
        given, namespace = merged(release, set_name, "prod"), NAMESPACES[release]
        for each in helm_template(helm, chart, release, namespace, given, "--kube-version", releases.kubernetes):
            if each["kind"] in RIGHTS and not each["metadata"].get("annotations", {}).get("helm.sh/hook"):
                if not each["kind"].startswith("Cluster"):
                    each["metadata"].setdefault("namespace", namespace)
                objects.append(each)
    return objects


def accounts(rights: Iterable[Manifest]) -> list[str]:
    """The accounts that are given something, as ``namespace/name``."""
    subjects = (subject for each in rights for subject in each.get("subjects", []))
    return sorted({f"{each['namespace']}/{each['name']}" for each in subjects if each["kind"] == "ServiceAccount"})


@contextmanager
def given(cluster: Kubernetes, rights: list[Manifest]) -> Iterator[None]:
    """The cluster with these rights in it, and the namespaces that they need; what was not there goes again."""
    wanted = {each["metadata"]["namespace"] for each in rights if "namespace" in each["metadata"]}
    new = sorted(wanted - cluster.names("namespaces"))
    for name in new:
        cluster.run("create", "namespace", name)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": rights})
    try:
        apply(cluster, text)
        yield
    finally:
        for each in rights:
            where = ["--namespace", each["metadata"]["namespace"]] if "namespace" in each["metadata"] else []
            cluster.run("delete", each["kind"].lower(), each["metadata"]["name"], "--ignore-not-found", *where)
        if new:
            # The next release set begins with namespaces of these names.
            cluster.run("delete", "namespace", *new, "--timeout=2m")


def asked(cluster: Kubernetes, set_name: str, helm: str, charts: Path) -> dict[str, list[str]]:
    """What of :data:`QUESTIONS` each account of a set's charts may, in their order."""
    rights = manifests(set_name, helm, charts)
    with given(cluster, rights):
        return {who: _may(cluster, who) for who in accounts(rights)}


def _may(cluster: Kubernetes, who: str) -> list[str]:
    questions = {
        what: {(verb, kind, "") for verb in verbs for kind in kinds} for what, (verbs, kinds) in QUESTIONS.items()
    }
    permissions = allowed(cluster, who, set[Question]().union(*questions.values()))
    return [what for what, each in questions.items() if each & permissions]


def made_of(set_name: str) -> dict[str, str]:
    """The releases of a set that were asked about: another version is asked again."""
    return {release: release_set(set_name)[release].version for release in asked_about(set_name)}
