"""What the audit log has of a request, as Kubernetes reads the policy: the first rule that fits decides (kubernetes.io/docs, Auditing)."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from nodes import audit_policy
from nodes.audit_policy import FILES, LOG_FILE, MEGABYTES, policy
from nodes.boot import agent_user_data, server_user_data
from nodes.inputs import ClusterInputs
from nodes.rke2 import server_config
from settings.nodes import AgentsSettings

ADMIN = "system:serviceaccount:kube-system:admin"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
NODE = ("system:node:ip-10-0-10-10", "system:nodes")


def level(verb: str, resource: str = "", *, user: str = ADMIN, groups: tuple[str, ...] = GROUPS, url: str = "") -> str:
    """The level at which a request is kept; ``resource`` with its group after a dot and what belongs to it after a slash."""
    for rule in policy()["rules"]:
        if "users" in rule and user not in rule["users"]:
            continue
        if "userGroups" in rule and not set(groups) & set(rule["userGroups"]):
            continue
        if "verbs" in rule and verb not in rule["verbs"]:
            continue
        if "resources" in rule and not any(_of(each, resource) for each in rule["resources"]):
            continue
        if "nonResourceURLs" in rule and not any(fnmatchcase(url, each) for each in rule["nonResourceURLs"]):
            continue
        return str(rule["level"])
    return "None"


def _of(row: dict[str, Any], resource: str) -> bool:
    kind, _, part = resource.partition("/")
    kind, _, group = kind.partition(".")
    named = f"{kind}/{part}" if part else kind
    return bool(kind) and row["group"] == group and named in row.get("resources", [named])


@pytest.mark.parametrize(
    ("verb", "resource", "wanted"),
    [
        ("get", "secrets", "Metadata"),
        ("create", "secrets", "Metadata"),
        ("create", "serviceaccounts/token", "Metadata"),
        ("list", "pods", "Metadata"),
        ("get", "pods/log", "Metadata"),
        ("get", "pods/exec", "Metadata"),
        ("create", "pods/exec", "Request"),
        ("create", "nodes/proxy", "Request"),
        ("patch", "pods/ephemeralcontainers", "Request"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io", "Request"),
        ("delete", "roles.rbac.authorization.k8s.io", "Request"),
        ("patch", "deployments.apps", "Metadata"),
        ("list", "events", "None"),
        ("get", "leases.coordination.k8s.io", "None"),
        ("delete", "events", "Metadata"),
    ],
)
def test_what_a_person_does_is_kept(verb: str, resource: str, wanted: str) -> None:
    assert level(verb, resource) == wanted


def test_no_body_of_a_secret_is_kept_whoever_sends_it() -> None:
    for user, groups in ((ADMIN, GROUPS), (NODE[0], NODE[1:]), ("system:kube-controller-manager", ())):
        for verb in (*audit_policy.READS, *audit_policy.CHANGES):
            for kind in ("secrets", "configmaps", "serviceaccounts/token"):
                assert level(verb, kind, user=user, groups=groups) == "Metadata", (user, verb, kind)


def test_a_node_s_credentials_in_strange_hands_are_seen() -> None:
    """What a kubelet reads all day is left out, what it reads of Secrets and changes is not."""
    user, groups = NODE[0], NODE[1:]
    assert level("update", "leases.coordination.k8s.io", user=user, groups=groups) == "None"
    assert level("watch", "pods", user=user, groups=groups) == "None"
    assert level("get", "secrets", user=user, groups=groups) == "Metadata"
    assert level("delete", "pods", user=user, groups=groups) == "Metadata"


def test_questions_after_health_are_left_out() -> None:
    assert level("get", url="/readyz") == level("get", url="/healthz/etcd") == "None"
    assert level("get", url="/logs/") == "Metadata"


def test_it_fits_the_smallest_root_volume_and_is_not_beside_etcd(inputs: ClusterInputs) -> None:
    smallest = min(
        bound.ge for bound in AgentsSettings.model_fields["root_volume_gib"].metadata if hasattr(bound, "ge")
    )
    assert smallest * 1024 / 8 >= MEGABYTES * (FILES + 1), "an eighth of the disk, and no more"
    assert not LOG_FILE.startswith("/var/lib/rancher"), "a full data volume stops etcd"
    config = yaml.safe_load(server_config(inputs))
    assert {f"audit-log-path={LOG_FILE}", f"audit-log-maxbackup={FILES}"} <= set(config["kube-apiserver-arg"])


def test_servers_have_the_policy_and_agents_none(inputs: ClusterInputs) -> None:
    server = yaml.safe_load(server_user_data(inputs, slot=0, data_volume_id="vol-1"))["write_files"]
    (file,) = [each for each in server if each["path"] == audit_policy.POLICY_FILE]
    assert (yaml.safe_load(file["content"]), file["permissions"]) == (policy(), "0600")
    agents = yaml.safe_load(agent_user_data(inputs))["write_files"]
    assert audit_policy.POLICY_FILE not in {each["path"] for each in agents}


def test_the_page_says_how_much_is_kept_and_for_how_long(inputs: ClusterInputs) -> None:
    given = dict(each.split("=", 1) for each in yaml.safe_load(server_config(inputs))["kube-apiserver-arg"])
    files, size, days = (int(given[f"audit-log-max{each}"]) for each in ("backup", "size", "age"))
    words = {9: "nine", 30: "thirty"}
    sentence = (
        f"`{given['audit-log-path']}` and {words[files]} older files of {size} MB, for {words[days]} days at most"
    )
    page = " ".join(Path("docs/runbooks/access.md").read_text().split())
    assert sentence in page, f"docs/runbooks/access.md must say: {sentence}"
