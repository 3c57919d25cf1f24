"""What the Helm stacks hand to Helm: versions, values, and how a failed install is treated."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from settings.helm_values import unknown_keys
from settings.namespaces import DEDICATED_TAINT
from settings.release_sets import release_set
from tests.template import Template
from tests.unit.releases.samples import AGAIN, LOCAL, NAMESPACES, merged

ROOT = Path(__file__).parents[3]
DOCUMENTED = release_set("documented")
ON_THE_NODES = {"aws-cloud-controller-manager"}
"""Installed by the servers themselves at their first boot."""


@pytest.fixture(scope="module", params=["vet-dev-helm", "vet-prod-helm"])
def platform(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Each Helm stack in turn."""
    return templates[request.param]


def releases(template: Template) -> dict[str, dict[str, Any]]:
    """All Helm releases by their names."""
    return {block["name"]: block for block in template.resources("helm_release").values()}


def given(template: Template, release: str) -> dict[str, Any]:
    """The values of a release."""
    (values,) = releases(template)[release]["values"]
    content: dict[str, Any] = json.loads(values)
    return content


def test_every_release_of_the_set_is_installed_where_it_belongs(platform: Template) -> None:
    wanted = {**NAMESPACES, **LOCAL, **AGAIN}
    optional = {"cluster-autoscaler", "interruption-handler", "kured", "objects", "plugin-barman-cloud", "traefik"}
    blocks = releases(platform)
    restarts = {"kured"} if platform.name == "vet-prod-helm" else set()
    assert set(blocks) == set(wanted) - ON_THE_NODES - optional | restarts
    for name, block in blocks.items():
        assert block["namespace"] == wanted[name], name
        assert not block.get("create_namespace"), f"{name}: a namespace without pod security would be made"


def test_charts_are_the_set_s_from_its_repositories(platform: Template) -> None:
    """architecture.txt: "Helm chart: `rancher-latest/rancher`", "Version: 2.7.9"."""
    for name, block in releases(platform).items():
        if name in DOCUMENTED:
            pinned = DOCUMENTED[name]
            assert (block["chart"], block["version"]) == (pinned.chart.name, pinned.version), name
            assert block["repository"] == pinned.chart.repository, name
        else:
            assert block["chart"].startswith("./assets/"), f"{name} is neither pinned nor the project's own"
    rancher = releases(platform)["rancher"]
    assert (rancher["chart"], rancher["version"]) == ("rancher", "2.7.9")
    assert rancher["repository"] == "https://releases.rancher.com/server-charts/latest"


def test_charts_know_every_value_that_they_are_given(platform: Template) -> None:
    for name in releases(platform):
        if name in DOCUMENTED:
            unknown = unknown_keys(DOCUMENTED[name], given(platform, name))
            assert not unknown, f"{name} ignores {unknown}"


def test_values_are_those_of_the_rendered_charts_but_for_what_aws_says(platform: Template) -> None:
    """The charts are rendered and tested with sample values; here are the same keys."""
    environment = platform.name.removeprefix("vet-").removesuffix("-helm")
    for name in releases(platform):
        sample, values = merged(name, "documented", environment), given(platform, name)
        missing = _paths(sample) - _paths(values)
        assert not {path for path in missing if "extraVolumeTags" not in path}, f"{name} lacks {missing}"


def test_a_failed_install_is_taken_back_except_where_there_is_data(platform: Template) -> None:
    for name, block in releases(platform).items():
        assert block["atomic"] is (name not in ("rancher", "database")), name
        assert block["wait"] is True, name
        assert block["timeout"] >= (1800 if name == "rancher" else 600), f"{name} has {block['timeout']} s"


def test_rancher_differs_by_environment(templates: Mapping[str, Template]) -> None:
    """architecture.txt: "Replicas: 1 (dev) / 3 (prod)"; one on each server in prod."""
    dev, prod = given(templates["vet-dev-helm"], "rancher"), given(templates["vet-prod-helm"], "rancher")
    assert (dev["replicas"], prod["replicas"]) == (1, 3)
    assert (dev["antiAffinity"], prod["antiAffinity"]) == ("preferred", "required")
    assert (dev["hostname"], prod["hostname"]) == ("rancher.dev.example.com", "rancher.example.com")
    assert dev["tls"] == prod["tls"] == "external"


def test_no_password_of_rancher_is_in_terraform(platform: Template) -> None:
    values = given(platform, "rancher")
    assert "bootstrapPassword" not in values
    assert not {"set", "set_sensitive", "set_wo"} & releases(platform)["rancher"].keys()


def test_rancher_and_the_application_are_reached_through_the_one_ingress_controller(platform: Template) -> None:
    controller = given(platform, "ingress-nginx")["controller"]
    name = controller["ingressClassResource"]["name"]
    assert given(platform, "rancher")["ingress"]["ingressClassName"] == name
    assert given(platform, "rancher")["tls"] == "external", "the load balancer ends TLS"
    assert platform.one("kubernetes_ingress_v1")["spec"]["ingress_class_name"] == name


def test_the_ingress_controller_is_on_every_server_where_the_load_balancer_sends(platform: Template) -> None:
    """The same of the rendered chart is in tests/unit/releases/test_rendered_charts.py."""
    controller = given(platform, "ingress-nginx")["controller"]
    assert (controller["kind"], controller["hostPort"]) == ("DaemonSet", {"enabled": True})
    assert controller["nodeSelector"]["node-role.kubernetes.io/control-plane"] == "true"
    assert {"key": DEDICATED_TAINT, "operator": "Exists"} in controller["tolerations"]
    assert controller["healthCheckPath"] == "/ping", "the load balancer asks there"


def test_pods_get_volumes_that_can_grow_in_the_zone_where_they_run(platform: Template) -> None:
    """architecture.txt: "StorageClass: standard (AWS EBS)", "Add more EBS volumes"."""
    (standard,) = given(platform, "aws-ebs-csi-driver")["storageClasses"]
    assert standard["name"] == given(platform, "database")["storage"]["storageClass"] == "standard"
    assert standard["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert standard["volumeBindingMode"] == "WaitForFirstConsumer", "a volume in another zone is out of its pod's reach"
    assert standard["allowVolumeExpansion"] is True
    assert given(platform, "aws-ebs-csi-driver")["node"]["tolerateAllTaints"] is True, (
        "volumes are attached on every node"
    )


def test_the_database_differs_by_environment(templates: Mapping[str, Template]) -> None:
    """architecture.txt: "PVC: 5Gi for application data", "Persistent volume replication (optional)"."""
    dev, prod = given(templates["vet-dev-helm"], "database"), given(templates["vet-prod-helm"], "database")
    assert (dev["instances"], prod["instances"]) == (1, 3)
    assert dev["storage"]["size"] == prod["storage"]["size"] == "5Gi"
    assert dev["storage"]["storageClass"] == "standard"
    assert (dev["keep"], prod["keep"]) == (False, True), "what is protected outlives its release"
    assert (dev["backup"]["retentionDays"], prod["backup"]["retentionDays"]) == (7, 30)
    assert prod["backup"]["bucket"].endswith(".outputs.database_bucket}")


def test_the_ingress_controller_believes_the_load_balancer_s_subnets(templates: Mapping[str, Template]) -> None:
    ranges = {
        name: given(templates[name], "ingress-nginx")["controller"]["config"]["proxy-real-ip-cidr"]
        for name in ("vet-dev-helm", "vet-prod-helm")
    }
    assert ranges == {
        "vet-dev-helm": "10.0.1.0/24,10.0.2.0/24",
        "vet-prod-helm": "10.0.1.0/24,10.0.2.0/24,10.0.3.0/24",
    }


def test_volumes_are_encrypted_with_the_environment_s_key_and_tagged(platform: Template, settings: Settings) -> None:
    """architecture.txt: "StorageClass: standard (AWS EBS)", "Encrypted EBS volumes"."""
    values = given(platform, "aws-ebs-csi-driver")
    (standard,) = values["storageClasses"]
    assert standard["name"] == "standard"
    assert standard["parameters"]["encrypted"] == "true"
    assert standard["parameters"]["kmsKeyId"].endswith(".outputs.volumes_key_arn}")
    assert values["controller"]["k8sTagClusterId"] == platform.name.removesuffix("-helm")
    assert {"Project", "Environment"} <= values["controller"]["extraVolumeTags"].keys()


def test_controllers_take_their_own_aws_roles(platform: Template) -> None:
    roles = {
        "storage": given(platform, "aws-ebs-csi-driver")["controller"]["env"],
        "certificates": given(platform, "cert-manager")["extraEnv"],
    }
    for role, variables in roles.items():
        arn = next(variable["value"] for variable in variables if variable["name"] == "AWS_ROLE_ARN")
        assert arn.endswith(f".outputs.pod_role_arns.{role}}}"), f"{role} takes {arn}"
    database = given(platform, "database")["backup"]["roleArn"]
    assert database.endswith(".outputs.pod_role_arns.database}")


def test_issuers_prove_the_environment_s_zone(platform: Template, settings: Settings) -> None:
    environment = settings.environment(platform.name.removeprefix("vet-").removesuffix("-helm"))
    issuers = given(platform, "cluster-issuers")
    assert issuers["dnsZone"] == environment.dns_zone
    assert issuers["email"] == settings.project.email
    assert issuers["hostedZoneId"].endswith(".outputs.zone_id}")


def test_the_driver_goes_only_when_no_volume_is_left(platform: Template) -> None:
    guard = given(platform, "volume-guard")
    assert guard["image"] == DOCUMENTED["kubectl"].image
    assert releases(platform)["volume-guard"]["timeout"] > 900, "Helm must wait longer than the guard does"


@pytest.mark.parametrize(
    ("feature", "heading"),
    [
        ("Multi-cluster management", "## More clusters, and continuous delivery"),
        ("RBAC integration", "## Authentication"),
        ("Monitoring and alerting", "## Monitoring and alerting"),
        ("Application catalog", "## Application catalogue"),
        ("CI/CD integration", "## More clusters, and continuous delivery"),
    ],
)
def test_the_runbook_sets_up_rancher_s_features(feature: str, heading: str) -> None:
    """They are Rancher's own, switched on by people; the architecture lists them and the runbook tells how."""
    assert f"- {feature}\n" in (ROOT / "docs/architecture.txt").read_text(), f"the architecture does not list {feature}"
    section = (ROOT / "docs/runbooks/rancher.md").read_text().partition(f"{heading}\n")[2].partition("\n## ")[0]
    assert len(section.split()) > 40, f"the runbook's part on {feature} is missing: {section!r}"


def _paths(values: Mapping[str, Any], prefix: str = "") -> set[str]:
    paths = set()
    for key, value in values.items():
        paths |= _paths(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {f"{prefix}{key}"}
    return paths
