"""``services.logs``: what it makes, what it may do and reach, and what the real Fluent Bit does with lines of pods."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from settings.sizing import EVERY, of_a_pod, quantity
from tests.template import Template
from tests.unit.releases.samples import one, pods
from tests.unit.services.conftest import Made, rendered, values
from tests.unit.stacks.conftest import synthesise_dev

SETS = ("documented", "current")
ON = {"logs": {"enabled": True, "left_out": ["kube-system"]}}
REQUEST = "0af7651916cd43dd8448eb211c80319c"
GROUP = "/vet-dev/pods"
Sent = Callable[..., Template]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """A stack of dev with logs on, by stack and further settings; each made once."""
    done: dict[str, Template] = {}

    def template(stack: str = "vet-dev-helm", **more: Any) -> Template:
        key = json.dumps([stack, more], sort_keys=True)
        if key not in done:
            folder = tmp_path_factory.mktemp("logs")
            done[key] = synthesise_dev(folder, {"services": ON, **more}, stack)
        return done[key]

    return template


def test_without_it_nothing_of_it_is_there(templates: Made) -> None:
    for name, template in templates.items():
        assert "fluent-bit" not in json.dumps([*template.resources("helm_release").values()]), name
        assert "log-format" not in template.text, f"{name}: the ingress controller writes as it always did"
        assert not template.resources("aws_cloudwatch_log_group"), name


def test_the_group_is_kept_encrypted_and_written_to_by_its_own_account_alone(sent: Sent) -> None:
    """architecture.txt: "ELK stack for logging", by what AWS has in its place (docs/decisions/0200)."""
    template = sent("vet-dev", deletion_protection=True)
    group = template.one("aws_cloudwatch_log_group", "pod_logs/group")
    assert (group["name"], group["retention_in_days"]) == (GROUP, 14)
    assert group["lifecycle"] == {"prevent_destroy": True}
    assert "aws_kms_key.keys_backups_" in group["kms_key_id"]
    key = json.loads(template.one("aws_kms_key", "keys/backups")["policy"])["Statement"]
    (theirs,) = [each for each in key if each["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}]
    context = theirs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    assert context == f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}"
    trust = json.loads(template.one("aws_iam_role", "web_identity/logs")["assume_role_policy"])["Statement"]
    assert "system:serviceaccount:logging:fluent-bit" in trust[0]["Condition"]["StringEquals"].values()
    (statement,) = json.loads(template.one("aws_iam_role_policy", "web_identity/logs/policy")["policy"])["Statement"]
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}, "it adds, and does no more"
    (resource,) = [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
    assert re.fullmatch(r"\$\{aws_cloudwatch_log_group\.pod_logs_group_\w+\.arn}:\*", resource), resource


def test_silence_is_an_alarm_but_not_where_nodes_sleep(sent: Sent) -> None:
    for schedule, meaning in ((False, "breaching"), (True, "notBreaching")):
        template = sent("vet-dev", alarms={"enabled": True}, schedule={"enabled": schedule})
        alarm = template.one("aws_cloudwatch_metric_alarm", "alarms/pod_logs")
        assert (alarm["namespace"], alarm["metric_name"]) == ("AWS/Logs", "IncomingLogEvents")
        assert alarm["dimensions"] == {"LogGroupName": GROUP}, "a group of another name is silent for ever"
        assert (alarm["comparison_operator"], alarm["threshold"]) == ("LessThanThreshold", 1)
        assert alarm["treat_missing_data"] == meaning


@pytest.mark.parametrize("set_name", SETS)
def test_fluent_bit_reads_logs_and_nothing_else_of_the_node_or_the_api(sent: Sent, set_name: str) -> None:
    manifests = rendered(sent(cluster={"release_set": set_name}), "logs/fluent_bit", set_name)
    assert {each["kind"] for each in manifests} == {"ServiceAccount", "ConfigMap", "Service", "DaemonSet"}, (
        "it has rights"
    )
    pod = pods(manifests)["fluent-bit"]
    assert pod["automountServiceAccountToken"] is False
    assert {"operator": "Exists"} in pod["tolerations"], "pods of servers, and of nodes with taints, would be silent"
    assert not pod.get("hostNetwork"), "it would reach the node's AWS role"
    of_the_node = {volume["name"]: volume["hostPath"]["path"] for volume in pod["volumes"] if "hostPath" in volume}
    (container,) = pod["containers"]
    writable = {m["name"] for m in container["volumeMounts"] if not m.get("readOnly")} & of_the_node.keys()
    assert of_the_node.keys() - writable == {"containers", "pods"}
    assert {of_the_node[name] for name in writable} == {"/var/lib/fluent-bit"}
    assert container["securityContext"] == {
        "runAsUser": 0,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize("set_name", SETS)
def test_requests_are_those_that_the_rule_counts(sent: Sent, set_name: str) -> None:
    template = sent(cluster={"release_set": set_name})
    (container,) = pods(rendered(template, "logs/fluent_bit", set_name))["fluent-bit"]["containers"]
    (kind,) = (each for each in EVERY if each.release == "fluent-bit")
    counted = of_a_pod(kind, values(template, "logs/fluent_bit"))
    assert quantity(container["resources"]["requests"]) == counted


def test_its_policies_come_first_and_let_it_reach_aws_alone(sent: Sent) -> None:
    template = sent()
    policy = template.one("kubernetes_network_policy_v1", "logs/fluent-bit")
    assert policy["metadata"]["namespace"] == "logging"
    assert policy["spec"]["policy_types"] == ["Ingress", "Egress"]
    assert not policy["spec"].get("ingress"), "nobody but the kubelet asks it"
    assert {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]} == {"53", "443"}
    waits = json.dumps(template.one("helm_release", "logs/fluent_bit")["depends_on"])
    assert "kubernetes_network_policy_v1.logs_" in waits, "it would be open until its policy is there"


def test_namespaces_that_are_left_out_and_its_own_stay_on_the_nodes(sent: Sent) -> None:
    given = values(sent(), "logs/fluent_bit")["env"]
    (left_out,) = [each["value"] for each in given if each["name"] == "LEFT_OUT"]
    assert left_out == "/var/log/containers/*_logging_*.log,/var/log/containers/*_kube-system_*.log"


@pytest.mark.parametrize(
    ("pod", "namespace", "container"),
    [
        ("vet-app-7c9d8f-abcde", "vet-app", "web"),
        ("etcd-ip-10-0-10-10.ec2.internal", "kube-system", "etcd"),
        ("database-1", "vet-app", "postgres-2"),
    ],
)
def test_a_file_s_name_says_whose_it_is(sent: Sent, pod: str, namespace: str, container: str) -> None:
    """As the kubelet names them (kubernetes: pkg/kubelet/kuberuntime/legacy.go). Both places have the same expression."""
    config = values(sent(), "logs/fluent_bit")["config"]
    patterns = re.findall(r"Regex (\S+)$", config["inputs"] + config["customParsers"], re.MULTILINE)
    assert len(patterns) == 2, "stream and fields are of one expression"
    assert patterns[0] == patterns[1], "stream and fields are of one expression"
    for folder in ("/var/log/containers", "/a_folder_with/signs_in/it"):
        name = f"{folder}/{pod}_{namespace}_{container}-{'0123456789abcdef' * 4}.log"
        match = re.search(patterns[0].replace("(?<", "(?P<"), name)
        assert match, name
        assert match.groupdict() == {"pod": pod, "namespace": namespace, "container": container}


@pytest.mark.parametrize("ingress", ["nginx", "traefik"])
def test_a_request_s_line_has_its_id_and_neither_path_nor_query(sent: Sent, ingress: str) -> None:
    """A token of a forgotten password is in the path, and names are in the query."""
    given = values(sent(cluster={"ingress": ingress}), "ingress/controller")
    if ingress == "nginx":
        config = given["controller"]["config"]
        assert config["log-format-escape-json"] == "true"
        line = json.loads(config["log-format-upstream"])
        assert line["request_id"] == "$req_id"
        variables = {*re.findall(r"\$\w+", config["log-format-upstream"])}
        assert not variables & {
            "$request",
            "$request_uri",
            "$uri",
            "$args",
            "$query_string",
            "$http_referer",
            "$http_cookie",
        }
    else:
        access = given["logs"]["access"]
        assert (access["enabled"], access["format"]) == (True, "json")
        assert {each["defaultmode"] for each in access["fields"].values()} == {"drop"}
        assert access["fields"]["headers"]["names"] == {"X-Request-Id": "keep"}
        assert "RequestPath" not in access["fields"]["general"]["names"]


# What the real program does: lines as containerd writes them, and CloudWatch Logs by moto.

APPLICATION = {
    "time": "2026-11-29T09:30:00.125+00:00",
    "level": "INFO",
    "logger": "vetclinic.access",
    "message": "GET /pets/<int:pet_id>/ 200",
    "request_id": REQUEST,
    "status": 200,
}
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/manage.py", line 9, in <module>',
    "    run()",
    "KeyError: 'x'",
)


def _ingress() -> dict[str, str]:
    """A line of ingress-nginx by the format that it is given."""
    from modules.platform.ingress_logs import FIELDS

    return {name: REQUEST if name == "request_id" else f"a {name}" for name in FIELDS}


def _line(kind: str, text: str) -> str:
    """A line as containerd writes it now: CloudWatch Logs refuses what is older than two weeks."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z stderr {kind} {text}\n"


def _write(folder: Path, namespace: str, pod: str, container: str, lines: Mapping[str, str]) -> None:
    """A container's log: a file of the pod, and a link to it whose name says whose it is.

    :param lines: by text, how containerd marks it: ``F`` for a whole line, ``P`` for a part of one.
    """
    file = folder / f"pods/{namespace}_{pod}_1/{container}/0.log"
    file.parent.mkdir(parents=True)
    file.write_text("".join(map(_line, lines.values(), lines)))
    link = folder / f"containers/{pod}_{namespace}_{container}-{'0123456789abcdef' * 4}.log"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(file)


@pytest.fixture
def logs_service() -> Iterator[Any]:
    """CloudWatch Logs with the group, by moto, and its client; on a port of its own."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "logs",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_log_group(logGroupName=GROUP)
    yield client
    server.stop()


def _send(
    config: Mapping[str, str], folder: Path, client: Any, env: Mapping[str, str], count: int
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Run the real program until so many events have arrived, with the rendered configuration, whose paths are below ``folder``.

    :return: what has arrived by stream, and what the program said.
    """
    program = os.environ.get("VET_TEST_FLUENT_BIT") or shutil.which("fluent-bit")
    if not program:
        pytest.skip("needs Fluent Bit: install it (docs.fluentbit.io), or name the program in VET_TEST_FLUENT_BIT")
    host, port = client.meta.endpoint_url.removeprefix("http://").split(":")
    endpoint = f"Name cloudwatch_logs\n    endpoint {host}\n    port {port}\n    tls Off"
    here = {
        "/var/log/": f"{folder}/log/",
        "/var/lib/fluent-bit": f"{folder}/state",
        "/fluent-bit/etc/conf": str(folder),
        "HTTP_Server On": "HTTP_Server Off",
        "Name cloudwatch_logs": endpoint,
    }
    for name, text in config.items():
        for given, put in here.items():
            text = text.replace(given, put)
        (folder / name).write_text(text)
    (folder / "state").mkdir(exist_ok=True)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    command = [program, f"--config={folder / 'fluent-bit.conf'}"]
    with (folder / "said.txt").open("w+") as log:
        running = subprocess.Popen(command, env={**os.environ, **keys, **env}, stdout=log, stderr=subprocess.STDOUT)
        events = _until(client, count)
        running.terminate()
        running.wait(timeout=60)
    return events, (folder / "said.txt").read_text()


def _events(client: Any) -> dict[str, list[dict[str, Any]]]:
    """What arrived, by stream."""
    streams = [each["logStreamName"] for each in client.describe_log_streams(logGroupName=GROUP)["logStreams"]]
    return {
        stream: [
            json.loads(event["message"])
            for event in client.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
        ]
        for stream in streams
    }


def _until(client: Any, count: int, seconds: int = 60) -> dict[str, list[dict[str, Any]]]:
    """What arrived, as soon as it is so many, or after a while."""
    end = time.monotonic() + seconds
    events = _events(client)
    while sum(map(len, events.values())) < count and time.monotonic() < end:
        time.sleep(0.5)
        events = _events(client)
    return events


def test_the_real_fluent_bit_sends_a_request_s_lines_and_each_only_once(
    sent: Sent, logs_service: Any, tmp_path: Path
) -> None:
    manifests = rendered(sent(), "logs/fluent_bit", "documented")
    config = one(manifests, "ConfigMap", "fluent-bit")["data"]
    (container,) = pods(manifests)["fluent-bit"]["containers"]
    env = {each["name"]: each["value"] for each in container["env"]}
    given = {"LOG_GROUP": GROUP, "LEFT_OUT": env["LEFT_OUT"].replace("/var/log/", f"{tmp_path}/log/")}
    log, text = tmp_path / "log", json.dumps(APPLICATION)
    (tmp_path / "log").mkdir()
    _write(log, "vet-app", "vet-app-7c9-abcde", "web", {text[:60]: "P", text[60:]: "F"})
    _write(log, "ingress-nginx", "ingress-nginx-controller-x", "controller", {json.dumps(_ingress()): "F"})
    _write(log, "other", "worker-1", "main", {**dict.fromkeys(TRACEBACK, "F"), "afterwards": "F"})
    for namespace in ("kube-system", "logging"):
        _write(log, namespace, "quiet-1", "main", {"nobody reads this": "F"})
    _send(config, tmp_path, logs_service, given, 4)
    with (log / "pods/other_worker-1_1/main/0.log").open("a") as file:
        file.write(_line("F", "after the restart"))
    streams, output = _send(config, tmp_path, logs_service, given, 5)
    assert streams.keys() == {
        "pods/vet-app/vet-app-7c9-abcde/web",
        "pods/ingress-nginx/ingress-nginx-controller-x/controller",
        "pods/other/worker-1/main",
    }, output
    of_the_request = [e for events in streams.values() for e in events if e.get("request_id") == REQUEST]
    assert {each["namespace"] for each in of_the_request} == {"vet-app", "ingress-nginx"}, streams
    (line,) = streams["pods/vet-app/vet-app-7c9-abcde/web"]
    assert line.items() >= APPLICATION.items(), "a line that containerd cut is whole again, and its fields have names"
    assert line.items() >= {"pod": "vet-app-7c9-abcde", "container": "web", "stream": "stderr"}.items()
    texts = [each["log"].rstrip("\n") for each in streams["pods/other/worker-1/main"]]
    assert texts == ["\n".join(TRACEBACK), "afterwards", "after the restart"], (
        "a traceback is one event, and none comes twice"
    )
