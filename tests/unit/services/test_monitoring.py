"""``services.monitoring``: what it makes, in which order, who reaches what, and which secrets nobody sees."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import SettingsError, load
from settings.namespaces import DEDICATED_TAINT, MONITORING
from settings.sizing import EVERY, of_a_pod, quantity, total
from tests.template import Template
from tests.unit.releases.samples import containers, one, pods
from tests.unit.services.conftest import Made, environments, rendered, values

SETS = ("documented", "current")
Watched = Callable[[str], Made]
CHARTS = {
    "documented": ("rancher-monitoring-crd", "rancher-monitoring"),
    "current": ("prometheus-operator-crds", "kube-prometheus-stack"),
}


@pytest.mark.parametrize("set_name", SETS)
def test_kinds_come_before_the_operator_and_objects_after_it(watched: Watched, set_name: str) -> None:
    """architecture.txt: "Prometheus for metrics", "Grafana for visualization". What waits goes first when it is destroyed."""
    template = watched(set_name)["vet-dev-helm"]
    kinds, stack, objects = (
        template.one("helm_release", f"monitoring/{part}") for part in ("kinds", "stack", "objects")
    )
    assert (kinds["chart"], stack["chart"]) == CHARTS[set_name]
    assert stack["name"] == stack["chart"], "Rancher's pages know it by its name, and another chart is another release"
    waits = {name: json.dumps(block["depends_on"]) for name, block in (("stack", stack), ("objects", objects))}
    for first in (
        "monitoring_kinds",
        "monitoring_password",
        "storage_guard",
        "certificates_issuers",
        "ingress_controller",
    ):
        assert f"helm_release.{first}_" in waits["stack"], f"the operator does not wait for {first}: {waits['stack']}"
    assert "helm_release.monitoring_stack_" in waits["objects"]
    assert "kubernetes_network_policy_v1.monitoring_" in waits["stack"], "it would be open until its policies are there"


def test_without_it_nothing_of_it_is_there(templates: Made) -> None:
    for template in templates.values():
        assert "monitoring" not in json.dumps([*template.resources("helm_release").values()]).replace(MONITORING, "")
        assert MONITORING not in json.dumps([*template.resources("kubernetes_namespace_v1").values()])


def test_grafana_has_its_name_certificate_and_record(watched: Watched) -> None:
    infrastructure, helm = watched("documented")["vet-prod"], watched("documented")["vet-prod-helm"]
    (certificate,) = infrastructure.resources("aws_acm_certificate").values()
    assert "grafana.example.com" in certificate["subject_alternative_names"]
    records = {record["name"] for record in infrastructure.resources("aws_route53_record").values()}
    assert "grafana.example.com" in records, records
    ingress = one(rendered(helm, "monitoring/objects", "documented"), "Ingress", "grafana")
    assert ingress["spec"]["tls"] == [{"hosts": ["grafana.example.com"], "secretName": "grafana-tls"}]
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt-production"
    service = one(rendered(helm, "monitoring/objects", "documented"), "Service", "grafana-public")
    assert service["spec"]["ports"][0]["targetPort"] == 3000, (
        "the chart's proxy keeps answers for anybody who comes next"
    )


def test_networks_of_the_operators_hold_for_grafana_as_well(tmp_path: Path) -> None:
    import main
    from tests.unit.stacks.conftest import read

    given = {"rancher": {"allowed_cidrs": ["203.0.113.0/24"]}}
    main.build_app(load(environments(tmp_path, access=given)), outdir=str(tmp_path / "out")).synth()
    stacks = read(tmp_path / "out")
    rules = stacks["vet-dev"].resources("aws_lb_listener_rule").values()
    limited = {
        condition["host_header"]["values"][0]
        for rule in rules
        if len(rule["condition"]) == 2
        for condition in rule["condition"]
        if "host_header" in condition
    }
    assert limited == {"rancher.dev.example.com", "grafana.dev.example.com"}, f"anybody reaches the other: {limited}"
    assert len({rule["priority"] for rule in rules}) == len(rules), "two rules have one priority"
    ingress = one(rendered(stacks["vet-dev-helm"], "monitoring/objects", "documented"), "Ingress", "grafana")
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/whitelist-source-range"] == "203.0.113.0/24"


@pytest.mark.parametrize("set_name", SETS)
def test_no_password_is_in_what_terraform_knows(watched: Watched, set_name: str) -> None:
    template = watched(set_name)["vet-dev-helm"]
    grafana = values(template, "monitoring/stack")["grafana"]
    assert not grafana.get("adminPassword"), grafana
    file = grafana["env"]["GF_SECURITY_ADMIN_PASSWORD__FILE"]
    (mount,) = grafana["extraSecretMounts"]
    generated = values(template, "monitoring/password")
    assert (file, mount["secretName"]) == (f"{mount['mountPath']}/password", generated["name"])
    assert list(generated["keys"]) == ["password"], "the Secret's keys are made in the cluster"
    config = one(rendered(template, "monitoring/objects", set_name), "AlertmanagerConfig", "alerts")
    (people,) = [each for each in config["spec"]["receivers"] if each["name"] == "people"]
    assert people["emailConfigs"][0]["authPassword"] == {"name": "alert-receivers", "key": "smtp-password"}
    assert people["webhookConfigs"][0]["urlSecret"] == {"name": "alert-receivers", "key": "webhook-url"}
    assert people["emailConfigs"][0]["to"] == "platform@example.com", "left out, the project's address gets them"


@pytest.mark.parametrize("set_name", SETS)
def test_no_secret_is_made_by_the_chart_but_alertmanager_s_empty_one(watched: Watched, set_name: str) -> None:
    manifests = rendered(watched(set_name)["vet-dev-helm"], "monitoring/stack", set_name)
    secrets = {each["metadata"]["name"] for each in manifests if each["kind"] == "Secret"}
    assert all(name.startswith("alertmanager-") for name in secrets), f"passwords would be in the release: {secrets}"


@pytest.mark.parametrize("set_name", SETS)
def test_only_the_operator_reads_secrets_and_it_keeps_to_dedicated_servers(watched: Watched, set_name: str) -> None:
    manifests = rendered(watched(set_name)["vet-prod-helm"], "monitoring/stack", set_name)
    readers = {
        role["metadata"]["name"]
        for role in manifests
        if role["kind"] == "ClusterRole"
        for rule in role["rules"] or []
        if {"secrets", "*"} & {*rule.get("resources", [])}
    }
    assert readers == {f"{CHARTS[set_name][1]}-operator"}, f"who holds an agent would read every Secret: {readers}"
    operator = pods(manifests)[f"{CHARTS[set_name][1]}-operator"]
    assert operator["nodeSelector"]["node-role.kubernetes.io/control-plane"] == "true"
    assert {"key": DEDICATED_TAINT, "operator": "Exists"} in operator["tolerations"]


@pytest.mark.parametrize("set_name", SETS)
def test_no_pod_is_on_the_host_s_network_and_every_node_is_measured(watched: Watched, set_name: str) -> None:
    manifests = rendered(watched(set_name)["vet-prod-helm"], "monitoring/stack", set_name)
    assert not [name for name, pod in pods(manifests).items() if pod.get("hostNetwork")], (
        "it would reach the node's AWS role"
    )
    exporter = pods(manifests)[f"{CHARTS[set_name][1]}-prometheus-node-exporter"]
    assert {"operator": "Exists"} in exporter["tolerations"]
    folder = next(arg for arg in exporter["containers"][0]["args"] if "textfile.directory" in arg).partition("=")[2]
    program = (Path(__file__).parents[3] / "nodes/bin/etcd-metrics").read_text()
    assert f'"$root{folder.removeprefix("/host/root")}/etcd.prom"' in program, (
        "etcd's file is not where it is looked for"
    )
    mount = next(m for m in exporter["containers"][0]["volumeMounts"] if m["mountPath"] == "/host/root")
    assert mount["readOnly"] is True


@pytest.mark.parametrize("set_name", SETS)
def test_requests_are_those_that_the_rule_counts(watched: Watched, set_name: str) -> None:
    template = watched(set_name)["vet-dev-helm"]
    given, specs = values(template, "monitoring/stack"), pods(rendered(template, "monitoring/stack", set_name))
    for kind in (p for p in EVERY if p.release == "monitoring" and p.pod not in ("prometheus", "alertmanager")):
        (pod,) = [pod for name, pod in specs.items() if name.endswith(kind.pod)]
        default = {"cpu": "10m", "memory": "64Mi"}
        sums = total(quantity((c.get("resources") or {}).get("requests", default)) for c in pod["containers"])
        counted = of_a_pod(kind, given)
        room = all(asked <= had for asked, had in zip(sums, counted, strict=True))
        assert room, f"{kind.pod} asks for {sums}, {counted} are counted"


@pytest.mark.parametrize("set_name", SETS)
def test_every_container_has_limits_or_its_namespace_gives_them(watched: Watched, set_name: str) -> None:
    template = watched(set_name)["vet-dev-helm"]
    limits = [block for path, block in _resources(template, "kubernetes_limit_range_v1") if MONITORING in path]
    assert limits, "what the charts leave no key for would have none"
    for name, pod in pods(rendered(template, "monitoring/stack", set_name)).items():
        for container in containers(pod):
            version = container["image"].rpartition(":")[2]
            assert re.fullmatch(r"v?[0-9][\w.-]+", version), f"{name}: {container['image']}"


def _resources(template: Template, kind: str) -> list[tuple[str, Any]]:
    return [(path, block) for path, block in template.resources(kind).items()]


@pytest.mark.parametrize("set_name", SETS)
def test_targets_are_where_pods_listen(watched: Watched, set_name: str) -> None:
    """architecture.txt: "Monitoring and alerting"."""
    template = watched(set_name)["vet-dev-helm"]
    monitors = {
        each["metadata"]["name"]: each["spec"]
        for each in rendered(template, "monitoring/objects", set_name)
        if each["kind"] == "PodMonitor"
    }
    assert monitors.keys() == {"clinic", "database", "ingress", "cert-manager", "velero"}
    (web,) = template.resources("kubernetes_deployment_v1").values()
    pod = web["spec"]["template"]
    assert monitors["clinic"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    ports = {port["name"] for port in pod["spec"]["container"][0]["port"]}
    assert monitors["clinic"]["podMetricsEndpoints"][0]["port"] in ports
    assert values(template, "ingress/controller")["controller"]["metrics"]["enabled"] is True
    jobs = {each["podMetricsEndpoints"][0]["relabelings"][0]["replacement"] for each in monitors.values()}
    assert jobs == monitors.keys(), "the alerts know the targets by their names"


@pytest.mark.parametrize("set_name", SETS)
def test_the_control_plane_is_asked_where_it_listens(watched: Watched, set_name: str) -> None:
    """By TLS and with a token; etcd, which would tell everybody, is asked by nobody."""
    stacks = watched(set_name)
    config = _server_config(stacks["vet-prod"])
    assert config["kube-scheduler-arg"] == config["kube-controller-manager-arg"] == ["bind-address=0.0.0.0"]
    assert "etcd-expose-metrics" not in config
    given = values(stacks["vet-prod-helm"], "monitoring/stack")
    addresses = ["10.0.10.10", "10.0.11.10", "10.0.12.10"]
    assert given["kubeScheduler"]["endpoints"] == given["kubeControllerManager"]["endpoints"] == addresses
    assert given["kubeEtcd"]["enabled"] is False
    for name in ("kube-scheduler", "kube-controller-manager"):
        objects = rendered(stacks["vet-prod-helm"], "monitoring/stack", set_name)
        (monitor,) = [e for e in objects if e["kind"] == "ServiceMonitor" and e["metadata"]["name"].endswith(name)]
        (endpoint,) = monitor["spec"]["endpoints"]
        assert (endpoint["scheme"], endpoint["tlsConfig"]["insecureSkipVerify"]) == ("https", True)
        assert endpoint["bearerTokenFile"], f"{name} refuses requests without a token"


def test_a_hardened_control_plane_stays_closed(watched: Watched) -> None:
    config = _server_config(watched("hardened")["vet-prod"])
    assert not {"kube-scheduler-arg", "kube-controller-manager-arg"} & config.keys(), config
    given = values(watched("hardened")["vet-prod-helm"], "monitoring/stack")
    assert not any(given[name]["enabled"] for name in ("kubeScheduler", "kubeControllerManager", "coreDns"))


def _server_config(template: Template) -> dict[str, Any]:
    data = yaml.safe_load(template.one("aws_instance", "servers/slot_0")["user_data"])
    (file,) = [each for each in data["write_files"] if each["path"].endswith("10-cluster.yaml")]
    config: dict[str, Any] = yaml.safe_load(file["content"])
    return config


def test_grafana_which_the_internet_reaches_reaches_nothing_but_where_it_reads(watched: Watched) -> None:
    template = watched("documented")["vet-prod-helm"]
    policies = {
        block["metadata"]["name"]: block["spec"]
        for block in template.resources("kubernetes_network_policy_v1").values()
        if block["metadata"]["namespace"] == MONITORING
    }
    assert policies.keys() == {"default", "grafana"}
    grafana = policies["grafana"]
    assert grafana["policy_types"] == ["Ingress", "Egress"]
    (comes,) = grafana["ingress"]
    assert comes["from"][0]["namespace_selector"]["match_labels"] == {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert [port["port"] for port in comes["ports"]] == ["3000"]
    sent = {port["port"] for rule in grafana["egress"] for port in rule["ports"]}
    assert sent == {"53", "9090", "8081", "9093", "6443"}, "it could reach more than it needs"
    assert policies["default"]["policy_types"] == ["Ingress"]
    assert all(rule["from"] for rule in policies["default"]["ingress"]), "a rule without peers lets everybody in"


def test_retention_is_by_the_volume_s_size(tmp_path: Path) -> None:
    import main
    from tests.unit.stacks.conftest import read

    files = environments(tmp_path, services={"monitoring": {"volume": "40Gi", "retention_days": 30}})
    main.build_app(load(files), outdir=str(tmp_path / "out")).synth()
    spec = values(read(tmp_path / "out")["vet-dev-helm"], "monitoring/stack")["prometheus"]["prometheusSpec"]
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert (spec["retention"], claim["resources"]["requests"]["storage"]) == ("30d", "40Gi")
    kept = int(spec["retentionSize"].removesuffix("MiB"))
    assert 0.8 * 40 * 1024 < kept < 0.9 * 40 * 1024, "a full volume stops Prometheus"


def test_what_has_no_room_is_refused_with_the_number_that_has(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load(environments(tmp_path, agents={"min_count": 1}))
    (problem,) = [each for each in raised.value.problems if each.file.endswith("dev.yaml")]
    assert problem.key == "services.monitoring.enabled"
    assert "agents.min_count 2" in problem.remedy, problem


def test_whoever_is_told_of_nothing_is_warned(tmp_path: Path) -> None:
    quiet = {"monitoring": {"alerts": {"smtp": None, "webhook": False}}}
    assert "alerts-go-nowhere" in {each.code for each in load(environments(tmp_path, services=quiet)).warnings}


def test_an_operator_has_the_kinds_that_it_was_made_with(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load(environments(tmp_path, cluster={"versions": {"monitoring": "88.5.3"}}))
    assert {each.key for each in raised.value.problems} == {"cluster.versions.monitoring-crds"}
