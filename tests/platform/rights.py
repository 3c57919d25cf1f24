"""Who can do what in the cluster, asked of a real API: its authorizer for every verb and kind, and real attempts where a right alone decides nothing.

``python -m tests.platform`` (``make rights-cluster``) asks and writes ``rights.yaml``. What people's roles may do comes from the chart ``access``.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from operations.devtools.emulator import REPOSITORY, local_cluster
from operations.devtools.emulator.kubernetes import Kubernetes

FILE = Path(__file__).with_name("rights.yaml")

CHART = REPOSITORY / "helm-values/charts/access"

ROOM = "access-proof"
"""A namespace that plays the application's."""

OTHER = "access-proof-rancher"
"""One that plays the platform's."""

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/vet-prod/vet-app"

Question = tuple[str, str, str]
"""A verb, a kind (with its group after a dot, and what belongs to it after a slash), and a namespace; empty for all of the cluster."""

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")

INTO = ("exec", "attach", "portforward", "ephemeralcontainers", "proxy", "log", "eviction")
"""What belongs to a pod."""

BESIDES: tuple[tuple[str, str], ...] = (
    ("create", "serviceaccounts/token"), ("create", "services/proxy"), ("get", "services/proxy"),
    ("create", "nodes/proxy"), ("get", "nodes/proxy"), ("impersonate", "users"), ("impersonate", "groups"), ("impersonate", "serviceaccounts"),
    ("bind", "clusterroles.rbac.authorization.k8s.io"), ("escalate", "clusterroles.rbac.authorization.k8s.io"),
    ("approve", "signers.certificates.k8s.io"), ("update", "certificatesigningrequests/approval.certificates.k8s.io"),
    ("update", "deployments/scale.apps"), ("patch", "deployments/scale.apps"),
)  # fmt: skip
"""What the API's list of kinds does not show."""

PEOPLE = ("read", "deploy", "admin")
POD = "a pod of the application"

THEMSELVES = {role: f"aws:arn:aws:iam::123456789012:role/{role}" for role in PEOPLE}
"""Those who are who they are in AWS, by what they may do."""


KUBELET = "system:node:"
"""What a kubelet is called, before its Node's name."""


def account(who: str) -> tuple[str, list[str]]:
    """User and groups of a role, of another account as ``namespace/name``, of a kubelet, or of somebody who is who they are in AWS."""
    if who in THEMSELVES.values():
        return f"{who}/a-person", [who, "system:authenticated"]
    if who.startswith(KUBELET):
        return who, ["system:nodes", "system:authenticated"]
    if who == POD:
        who = f"{ROOM}/default"
    namespace, _, name = who.rpartition("/") if "/" in who else (ROOM, "", who)
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    return f"system:serviceaccount:{namespace}:{name}", groups


def has_policies(kubernetes: Kubernetes) -> bool:
    """Whether the API knows ValidatingAdmissionPolicy, which is stable from 1.30 on."""
    return "validatingadmissionpolicies" in kubernetes.run("api-resources", "-o", "name")


def apply(kubernetes: Kubernetes, text: str, *more: str) -> None:
    """Apply objects as the administrator."""
    command = [kubernetes.kubectl, "--kubeconfig", str(kubernetes.kubeconfig), "apply", "-f", "-", *more]
    answer = subprocess.run(command, input=text, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def application() -> dict[str, Any]:
    """A Deployment that plays the application's."""
    container = {"name": "web", "image": f"{IMAGE}:1", "env": [{"name": "A", "value": "1"}]}
    labels = {"app": "vet-app"}
    pod = {"containers": [container], "automountServiceAccountToken": False}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return _object("apps/v1", "Deployment", "vet-app", spec=spec)


def _object(version: str, kind: str, name: str, namespace: str = ROOM, **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **more}


@contextmanager
def prepared(kubernetes: Kubernetes) -> Iterator[Kubernetes]:
    """The cluster with the chart's rights, the administrator's, two namespaces and a Deployment; taken away afterwards."""
    for name in (ROOM, OTHER):
        kubernetes.run("wait", "--for=delete", f"namespace/{name}", "--timeout=2m")  # of tests just before
        kubernetes.run("create", "namespace", name)
    version = json.loads(kubernetes.run("version", "-o", "json"))["serverVersion"]["gitVersion"]
    groups = json.dumps({role: [group] for role, group in THEMSELVES.items()})
    values = ["--set", f"applicationNamespace={ROOM},accountsNamespace={ROOM}", "--set-json", f"groups={groups}"]
    values += ["--kube-version", version]
    command = [local_cluster.tool("helm"), "template", "access", str(CHART), "--namespace", ROOM, *values]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    subject = {"kind": "ServiceAccount", "name": "admin", "namespace": ROOM}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding = _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "access-proof-admin", roleRef=role)
    try:
        apply(kubernetes, rendered)
        for each in (
            application(),
            {**binding, "subjects": [subject]},
        ):  # the servers make the second (bin/refresh-credentials)
            apply(kubernetes, json.dumps(each))
        yield kubernetes
    finally:
        kubernetes.run("delete", "namespace", ROOM, OTHER, "--wait=false")
        for kind in (
            *("clusterrole/platform-read", "clusterrolebinding/read-platform-read"),
            *("clusterrolebinding/access-proof-admin", "clusterrolebinding/admin-cluster-admin"),
        ):
            kubernetes.run("delete", kind, "--ignore-not-found")
        for kind in ("validatingadmissionpolicy", "validatingadmissionpolicybinding"):
            if has_policies(kubernetes):
                kubernetes.run("delete", kind, "deploy-changes-images", "servers-stay-servers", "--ignore-not-found")


def allowed(cluster: Kubernetes, who: str, questions: Iterable[Question]) -> set[Question]:
    """What the API's authorizer allows of verbs on kinds in namespaces (SubjectAccessReview), asked at once."""
    asked = list(questions)
    reviews = [_review(who, *question) for question in asked]
    command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), "create", "-f", "-", "-o", "json"]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    answer = subprocess.run(command, input=text, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    decoder, rest, answers = json.JSONDecoder(), answer.stdout.strip(), []
    while rest:
        item, end = decoder.raw_decode(rest)
        answers += item.get("items", [item])
        rest = rest[end:].strip()
    assert len(answers) == len(asked), "not every question was answered"
    return {question for question, each in zip(asked, answers, strict=True) if each["status"]["allowed"]}


def _review(who: str, verb: str, kind: str, namespace: str) -> dict[str, Any]:
    resource, _, group = kind.partition(".")
    resource, _, part = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": part, "namespace": namespace}
    user, groups = account(who)
    spec = {"resourceAttributes": asked, "user": user, "groups": groups}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": spec}


def kinds(cluster: Kubernetes, *, namespaced: bool = True) -> list[str]:
    """Every kind that the API has in namespaces, or in none."""
    output = cluster.run("api-resources", f"--namespaced={str(namespaced).lower()}", "-o", "name")
    return sorted(kind for kind in output.split() if "accessreviews" not in kind and "selfsubject" not in kind)


def questions(cluster: Kubernetes) -> list[Question]:
    """Every verb on every kind, in the application's namespace, in one of the platform's, and in the cluster."""
    inside = [*kinds(cluster), *(f"pods/{way}" for way in INTO)]
    questions = [(verb, kind, room) for room in (ROOM, OTHER) for kind in inside for verb in VERBS]
    questions += [(verb, kind, "") for kind in kinds(cluster, namespaced=False) for verb in VERBS]
    return questions + [(verb, kind, room) for room in (ROOM, OTHER, "") for verb, kind in BESIDES]


PLACES = {ROOM: "the application's namespace", OTHER: "the platform's namespaces", "": "the cluster"}

Rights = dict[str, dict[str, str]]
"""By place and kind the verbs, separated by blanks."""


def rights(cluster: Kubernetes, who: str, asked: list[Question]) -> Rights:
    """Everything that somebody may do, by place and kind."""
    permissions = allowed(cluster, who, asked)
    order = [*VERBS, *dict.fromkeys(verb for verb, _ in BESIDES)]
    by_place: Rights = {}
    for room, place in PLACES.items():
        verbs: dict[str, list[str]] = {}
        for verb, kind, namespace in sorted(permissions, key=lambda question: (question[1], order.index(question[0]))):
            if namespace == room:
                verbs.setdefault(kind, []).append(verb)
        by_place[place] = {kind: " ".join(each) for kind, each in verbs.items()}
    return by_place


def _pod(**spec: Any) -> dict[str, Any]:
    return {"containers": [{"name": "it", "image": f"{IMAGE}:1"}], **spec}


STOLEN = {"volumes": [{"name": "stolen", "secret": {"secretName": "database-app"}}]}
JOB = {"template": {"spec": _pod(serviceAccountName="database", restartPolicy="Never")}}
INGRESS = {
    "defaultBackend": {"service": {"name": "mine", "port": {"number": 80}}},
    "rules": [{"host": "rancher.example.com"}],
}

MADE: Mapping[str, dict[str, Any]] = {
    "a pod that mounts a Secret": _object("v1", "Pod", "thief", spec=_pod(**STOLEN)),
    "an Ingress for Rancher's host": _object("networking.k8s.io/v1", "Ingress", "thief", spec=INGRESS),
    "a Job with the database's account": _object("batch/v1", "Job", "thief", spec=JOB),
    "a CronJob": _object("batch/v1", "CronJob", "thief", spec={"schedule": "* * * * *", "jobTemplate": {"spec": JOB}}),
    "a Service": _object("v1", "Service", "thief", spec={"ports": [{"port": 80}], "selector": {"app": "vet-app"}}),
    "a binding to cluster-admin": _object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "thief",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": ROOM}],
    ),
}
"""What somebody tries to make."""

WEB = f"deployment/vet-app --namespace={ROOM}"
RAW = "/api/v1/nodes/{node}/proxy/pods"
TOOK = {"spec": {"template": {"spec": STOLEN}}}

TRIED: Mapping[str, tuple[str, ...]] = {
    "mount a Secret in the application's Deployment": (
        *("patch", "deployment", "vet-app", f"--namespace={ROOM}", "--type=strategic", "-p"),
        json.dumps(TOOK),
    ),
    "another image of the application": ("set", "image", *WEB.split(), f"web={IMAGE}:2"),
    "logs of the application": ("get", "--raw", f"/api/v1/namespaces/{ROOM}/pods/victim/log"),
    "logs of the platform": ("get", "--raw", f"/api/v1/namespaces/{OTHER}/pods/victim/log"),
    "a shell in a pod": ("create", "--raw", f"/api/v1/namespaces/{ROOM}/pods/victim/exec?command=id&stdout=1", "-f", "/dev/null"),
    "a port of a pod": ("create", "--raw", f"/api/v1/namespaces/{ROOM}/pods/victim/portforward", "-f", "/dev/null"),
    "a container more in a pod that runs": ("debug", f"--namespace={ROOM}", "victim", f"--image={IMAGE}:1", "--container=thief"),
    "a kubelet's own API": ("get", "--raw", RAW),
    "read a Secret": ("get", "secret", "database-app", f"--namespace={ROOM}"),
    "a token of the administrator's account": ("create", "token", "admin", f"--namespace={ROOM}"),
}  # fmt: skip
"""What somebody tries with kubectl."""

REFUSALS = ("Forbidden", "forbidden", "deploy changes ")
"""What the API says when it refuses; whatever else goes wrong comes after it has allowed."""


def attempts(cluster: Kubernetes, who: str) -> dict[str, str]:
    """What comes of each attempt: ``refused``, or ``allowed`` when the API let it pass, whatever came of it then."""
    user, groups = account(who)
    as_them = [f"--as={user}", *(f"--as-group={group}" for group in groups)]
    outcomes = {}
    for what, thing in MADE.items():
        outcomes[what] = _outcome(cluster, ["create", "--dry-run=server", "-f", "-", *as_them], json.dumps(thing))
    node = cluster.run("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    for what, arguments in TRIED.items():
        outcomes[what] = _outcome(cluster, [each.replace("{node}", node) for each in arguments] + as_them)
    return outcomes


def _outcome(cluster: Kubernetes, arguments: list[str], text: str = "") -> str:
    """What comes of a call of kubectl: ``refused``, or ``allowed``."""
    return "refused" if refused(tried(cluster, arguments, text)) else "allowed"


def tried(cluster: Kubernetes, arguments: list[str], text: str = "") -> "subprocess.CompletedProcess[str]":
    """A call of kubectl with some input."""
    command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)


def refused(answer: "subprocess.CompletedProcess[str]") -> bool:
    """Whether the API refused it."""
    output = answer.stderr + answer.stdout
    return bool(answer.returncode) and any(each in output for each in REFUSALS)


def victims(cluster: Kubernetes) -> None:
    """A Secret and pods to reach for."""
    for room in (ROOM, OTHER):
        apply(cluster, json.dumps(_object("v1", "ServiceAccount", "default", room)))
        apply(cluster, json.dumps(_object("v1", "Pod", "victim", room, spec=_pod())))
    apply(cluster, json.dumps(_object("v1", "Secret", "database-app", stringData={"password": "canary"})))
    apply(cluster, json.dumps(_object("v1", "ServiceAccount", "admin")))


def made_of() -> str:
    """What the rights follow from: changed, they must be asked again."""
    questions = json.dumps([MADE, TRIED, VERBS, INTO, BESIDES, PEOPLE], sort_keys=True).encode()
    parts = [path.read_bytes() for path in sorted((CHART / "templates").iterdir())]
    return hashlib.sha256(b"\0".join([questions, *parts])).hexdigest()[:16]


def asked(cluster: Kubernetes) -> dict[str, Any]:
    """The whole matrix, by the answers of a cluster that is :func:`prepared`."""
    version = json.loads(cluster.run("version", "-o", "json"))["serverVersion"]["gitVersion"]
    victims(cluster)
    every = questions(cluster)
    everybody = (*PEOPLE, POD)
    return {
        "made_of": made_of(),
        "kubernetes": version,
        "attempts": {who: attempts(cluster, who) for who in everybody},
        "rights": {who: _short(rights(cluster, who, every)) for who in everybody},
    }


def _short(rights: Rights) -> Rights:
    """Anybody who may do everything is not listed kind by kind."""
    every = {kind: verbs for place in rights.values() for kind, verbs in place.items()}
    return (
        {"everywhere": {"*": "*"}} if "escalate" in every.get("clusterroles.rbac.authorization.k8s.io", "") else rights
    )


def kept() -> dict[str, Any]:
    """The matrix that is checked in."""
    matrix: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return matrix


HEAD = """# Who may do what in the cluster, as a real API answered: made by `make rights-cluster`, compared by make test-platform.
# What the chart `access` gives; kinds of the API without custom ones. `attempts` were made with kubectl.

"""


def written(matrix: Mapping[str, Any]) -> str:
    """The matrix as the file has it."""
    return HEAD + yaml.safe_dump(dict(matrix), sort_keys=False, width=160)
