"""``services.velero``: what it makes, what it may do and reach, and what it leaves out."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from settings.sizing import EVERY, of_a_pod, quantity
from tests.template import Template
from tests.unit.releases.samples import pods
from tests.unit.services.conftest import Made, rendered, values
from tests.unit.stacks.conftest import synthesise_dev

SETS = ("documented", "current")
ON = {"velero": {"enabled": True, "days": 30, "left_out": ["scratch"]}}
Saved = Callable[..., Template]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A stack of dev with Velero on, by stack and further settings; each made once."""
    done: dict[str, Template] = {}

    def template(stack: str = "vet-dev-helm", *, services: dict[str, Any] | None = None, **more: Any) -> Template:
        key = json.dumps([stack, services, more], sort_keys=True)
        if key not in done:
            done[key] = synthesise_dev(
                tmp_path_factory.mktemp("velero"), {"services": {**ON, **(services or {})}, **more}, stack
            )
        return done[key]

    return template


def template_of(saved: Saved, **more: Any) -> dict[str, Any]:
    """What the schedule's backups are of."""
    (schedule,) = values(saved(**more), "velero/release")["schedules"].values()
    template: dict[str, Any] = schedule["template"]
    return template


def test_without_it_nothing_of_it_is_there(templates: Made) -> None:
    for name, template in templates.items():
        assert "velero" not in template.text, name


def test_the_bucket_is_encrypted_kept_and_reached_by_veleros_account_alone(saved: Saved) -> None:
    """architecture.txt: "Velero for K8s backups"."""
    template = saved("vet-dev", deletion_protection=True)
    bucket = template.one("aws_s3_bucket", "buckets/velero")
    assert bucket["bucket"].startswith("vet-dev-velero-")
    assert bucket["lifecycle"] == {"prevent_destroy": True}
    trust = json.loads(template.one("aws_iam_role", "web_identity/velero")["assume_role_policy"])["Statement"]
    assert "system:serviceaccount:velero:velero" in trust[0]["Condition"]["StringEquals"].values()
    statements = json.loads(template.one("aws_iam_role_policy", "web_identity/velero/policy")["policy"])["Statement"]
    named = {
        resource
        for each in statements
        for resource in ([each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"])
        if "s3:::" in resource
    }
    assert named == {f"arn:aws:s3:::{bucket['bucket']}", f"arn:aws:s3:::{bucket['bucket']}/*"}
    actions = {action for each in statements for action in each["Action"]}
    assert not {action for action in actions if action.startswith("ec2:")}, "snapshots are the CSI driver's"


def test_a_second_region_has_the_backups_too(saved: Saved) -> None:
    plain = saved("vet-dev")
    copied = saved("vet-dev", backups={"replica_region": "us-west-2"})
    names = [each["bucket"] for each in copied.resources("aws_s3_bucket").values()]
    assert [name for name in names if re.search("velero-2-.*us-west-2$", name)], names
    assert not [each for each in plain.resources("aws_s3_bucket").values() if "velero-2" in each["bucket"]]


def test_a_days_long_backup_is_taken_each_night_of_all_but_what_comes_by_itself(saved: Saved) -> None:
    (schedule,) = values(saved(), "velero/release")["schedules"].values()
    assert schedule["schedule"] == "0 2 * * *"
    template = schedule["template"]
    assert template["ttl"] == "720h0m0s"
    left_out = set(template["excludedNamespaces"])
    names = {each["metadata"]["name"] for each in saved().resources("kubernetes_namespace_v1").values()}
    assert names - left_out == {"vet-app"}, "a namespace of the platform's would come back beside what deploys make"
    assert {"kube-system", "cattle-fleet-system", "scratch", "velero"} <= left_out


def test_a_namespace_of_a_team_is_saved(saved: Saved) -> None:
    release = {
        "chart": "kured", "repository": "https://kubereboot.github.io/charts", "version": "5.5.1", "namespace": "team",
    }  # fmt: skip
    assert "team" not in template_of(saved, extra_releases={"kured": release})["excludedNamespaces"]


def test_a_database_never_comes_back_by_it(saved: Saved) -> None:
    """Its Cluster would begin with nothing, and a copy of its volume would be older than its archive."""
    template = template_of(saved)
    assert "clusters.postgresql.cnpg.io" in template["excludedResources"]
    assert template["labelSelector"]["matchExpressions"] == [{"key": "cnpg.io/cluster", "operator": "DoesNotExist"}]


def test_its_snapshots_are_of_a_class_that_the_driver_has(saved: Saved) -> None:
    template = saved()
    (schedule,) = values(template, "velero/release")["schedules"].values()
    (name,) = schedule["annotations"].values()
    classes = values(template, "storage/driver")["volumeSnapshotClasses"]
    assert [each for each in classes if each["name"] == name], f"no class {name} among {classes}"


def test_its_policies_come_first_and_nobody_asks_it_but_who_measures(saved: Saved) -> None:
    alone = saved().one("kubernetes_network_policy_v1", "velero/velero")["spec"]
    assert not alone.get("ingress")
    assert {port["port"] for rule in alone["egress"] for port in rule["ports"]} == {"53", "443", "6443"}
    waits = json.dumps(saved().one("helm_release", "velero/release")["depends_on"])
    assert "kubernetes_network_policy_v1.velero_" in waits, "it would be open until its policy is there"
    assert "helm_release.storage_" in waits, "its first backup would have no snapshots of volumes"
    watched = saved(services={"monitoring": {"enabled": True}}, agents={"min_count": 6, "max_count": 8})
    (rule,) = watched.one("kubernetes_network_policy_v1", "velero/velero")["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == ["8085"]


@pytest.mark.parametrize("set_name", SETS)
def test_its_pod_has_no_rights_on_the_node_and_no_key(saved: Saved, set_name: str) -> None:
    manifests = rendered(saved(cluster={"release_set": set_name}), "velero/release", set_name)
    kinds = [each["kind"] for each in manifests]
    assert not {"Secret", "DaemonSet"} & {*kinds}, kinds
    jobs = [each["metadata"]["name"] for each in manifests if each["kind"] == "Job"]
    assert jobs == ["velero-end"], "the chart's own would change the kinds of the whole cluster"
    pod = pods(manifests)["velero"]
    for container in [*pod["containers"], *pod["initContainers"]]:
        context = container["securityContext"]
        assert context["runAsNonRoot"], container["name"]
        assert context["readOnlyRootFilesystem"], container["name"]
        assert not context["allowPrivilegeEscalation"], container["name"]
        assert context["capabilities"] == {"drop": ["ALL"]}
    environment = {each["name"] for each in pod["containers"][0]["env"]}
    assert {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"} <= environment
    (location,) = [each for each in manifests if each["kind"] == "BackupStorageLocation"]
    assert location["spec"]["default"] is True
    assert "volumesnapshotlocation" not in json.dumps(kinds).lower()
    (schedule,) = [each for each in manifests if each["kind"] == "Schedule"]
    assert schedule["metadata"]["name"] == "velero-objects", "commands and alerts know it by this name"


@pytest.mark.parametrize("set_name", SETS)
def test_restores_are_let_go_before_velero_is(saved: Saved, set_name: str) -> None:
    """Each has a finalizer that Velero alone takes off, so its namespace would not end."""
    manifests = rendered(saved(cluster={"release_set": set_name}), "velero/release", set_name)
    (job,) = [each for each in manifests if each["kind"] == "Job"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    pod = job["spec"]["template"]["spec"]
    (account,) = [each["metadata"]["name"] for each in manifests if each["kind"] == "ServiceAccount"]
    assert pod["serviceAccountName"] == account
    assert {"restores.velero.io", "--all", "--namespace=velero"} <= {*pod["containers"][0]["args"]}
    (container,) = pod["containers"]
    assert container["securityContext"]["runAsNonRoot"], "its namespace is restricted"
    assert re.fullmatch(r"registry\.k8s\.io/kubectl:v1\.\d+\.\d+\S*", container["image"]), container["image"]


@pytest.mark.parametrize("set_name", SETS)
def test_requests_are_those_that_the_rule_counts(saved: Saved, set_name: str) -> None:
    template = saved(cluster={"release_set": set_name})
    (container,) = pods(rendered(template, "velero/release", set_name))["velero"]["containers"]
    (kind,) = (each for each in EVERY if each.release == "velero")
    assert quantity(container["resources"]["requests"]) == of_a_pod(kind, values(template, "velero/release"))
