"""The Helm stacks: how they reach the cluster, what they read of the infrastructure, and in which order things come."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import kubernetes_validate
import pytest
from cdktf import Testing

import main
from settings import Settings, load
from settings.environment import Environment
from settings.namespaces import namespaces
from settings.release_sets import SETS, release_set
from tests.changes import ISSUER, one_environment
from tests.template import Block, Template
from tests.unit.platform.manifests import manifest
from tests.unit.stacks.conftest import read

OUTPUT = re.compile(r"data\.terraform_remote_state\.([\w-]+)\.outputs\.(\w+)(?:\.(\w+))?")

NEEDS = {
    "storage/guard": ["storage/driver"],
    "certificates/cert_manager": ["namespaces/cert-manager"],
    "certificates/issuers": ["certificates/cert_manager"],
    "ingress/controller": ["namespaces/ingress-nginx"],
    "rancher/rancher": [
        "namespaces/cattle-system",
        "certificates/cert_manager",
        "ingress/controller",
        "rancher/password",
    ],
    "rancher/password": ["namespaces/cattle-system"],
    "database/operator": ["namespaces/cnpg-system"],
    "database/cluster": ["namespaces/vet-app", "database/operator", "storage/guard"],
    "access": ["namespaces/vet-app"],
    "application_secret": ["namespaces/vet-app"],
}
"""What must be there before a release, and therefore goes away after it."""


@pytest.fixture(scope="module", params=["vet-dev-helm", "vet-prod-helm"])
def platform(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Each Helm stack in turn."""
    return templates[request.param]


@pytest.fixture(scope="module")
def current(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    """All stacks with the release set ``current``, a mirror and the autoscaler."""

    def changed(environment: Environment) -> Environment:
        return environment.model_copy(
            update={
                "cluster": environment.cluster.model_copy(update={"release_set": "current"}),
                "charts": environment.charts.model_copy(update={"mirror": "https://charts.example.com"}),
                "agents": environment.agents.model_copy(update={"autoscaler": True}),
            }
        )

    folder = tmp_path_factory.mktemp("synth") / "cdktf.out"
    every = replace(settings, environments=tuple(map(changed, settings.environments)))
    main.build_app(every, outdir=str(folder)).synth()
    return read(folder)


def test_there_is_a_helm_stack_for_every_environment_after_its_infrastructure(output: Path) -> None:
    """`cdktf deploy '*' --parallelism 1` takes stacks in the order of the manifest."""
    stacks = list(json.loads((output / "manifest.json").read_text())["stacks"])
    assert set(stacks) == {"vet-state", "vet-dev", "vet-dev-helm", "vet-prod", "vet-prod-helm"}
    for environment in ("dev", "prod"):
        assert stacks.index(f"vet-{environment}") < stacks.index(f"vet-{environment}-helm"), stacks


def test_no_stack_depends_on_another_for_cdktf(output: Path) -> None:
    """A dependency would make `cdktf deploy vet-dev-helm` refuse to work alone."""
    manifest_ = json.loads((output / "manifest.json").read_text())
    assert {name: stack["dependencies"] for name, stack in manifest_["stacks"].items()} == {
        name: [] for name in manifest_["stacks"]
    }


def test_every_release_is_rendered_again_on_another_kubernetes(platform: Template) -> None:
    """Charts install what the Kubernetes that answers knows, and a deploy comes before the servers are rolled to it."""
    (version,) = platform.document["data"]["kubernetes_server_version"]
    asked = f"data.kubernetes_server_version.{version}"
    for name, release in platform.resources("helm_release").items():
        assert release["description"] == f"on Kubernetes ${{{asked}.major}}.${{{asked}.minor}}", name


def test_what_is_read_of_the_infrastructure_is_published_there(
    platform: Template, templates: Mapping[str, Template]
) -> None:
    infrastructure = templates[platform.name.removesuffix("-helm")]
    read = {(output, key) for _, output, key in OUTPUT.findall(platform.text)}
    assert len(read) >= 10, f"hardly anything is read: {read}"
    for output, key in sorted(read):
        value = infrastructure.output(output)["value"]
        assert not key or key in value, f"{output} has {list(value)}, but not {key}"


def test_the_infrastructure_s_state_is_read_from_its_own_key(platform: Template) -> None:
    ((name, state),) = platform.document["data"]["terraform_remote_state"].items()
    stack = platform.name.removesuffix("-helm")
    assert name == f"deploy_{stack}_first", "Terraform's error names nothing else"
    assert state["config"]["key"] == f"{stack}/terraform.tfstate"
    assert state["config"]["bucket"] == platform.document["terraform"]["backend"]["s3"]["bucket"]


def test_providers_take_credentials_by_exec_and_hold_none(platform: Template) -> None:
    (helm,) = platform.document["provider"]["helm"]
    (kubernetes,) = platform.document["provider"]["kubernetes"]
    for connection, exec_ in ((helm["kubernetes"], helm["kubernetes"]["exec"]), (kubernetes, kubernetes["exec"][0])):
        assert exec_["command"] == "aws"
        assert exec_["args"][:2] == ["secretsmanager", "get-secret-value"]
        assert any(argument.endswith("credentials_prefix}/admin") for argument in exec_["args"]), exec_["args"]
        assert connection["tls_server_name"].startswith("${coalesce(var.api_host, ")
        assert connection["tls_server_name"].endswith(".outputs.api_host)}")
        assert not {"token", "client_key", "client_certificate", "password", "insecure"} & connection.keys()


def test_a_tunnel_replaces_the_address_and_nothing_else_unless_told(platform: Template) -> None:
    variables = platform.document["variable"]
    assert {"api_address", "api_host", "cluster_ca"} == set(variables)
    assert all(variable["default"] == "" for variable in variables.values())
    (kubernetes,) = platform.document["provider"]["kubernetes"]
    assert kubernetes["host"].startswith("${coalesce(var.api_address, ")
    assert kubernetes["cluster_ca_certificate"].startswith("${coalesce(var.cluster_ca, ")


def test_a_cluster_that_is_not_there_stops_the_plan_and_says_what_comes_first(platform: Template) -> None:
    (parameter,) = platform.document["data"]["aws_ssm_parameter"].values()
    (condition,) = parameter["lifecycle"]["postcondition"]
    environment = platform.name.removeprefix("vet-").removesuffix("-helm")
    assert condition["condition"] == '${self.insecure_value != "pending"}'
    assert f"make deploy ENV={environment} waits for them" in condition["error_message"], (
        "for those who have just deployed"
    )
    assert f"cdktf deploy vet-{environment}" in condition["error_message"]
    assert f"make deploy ENV={environment}" in condition["error_message"]


def test_rancher_s_marks_on_namespaces_are_left_alone(platform: Template) -> None:
    (kubernetes,) = platform.document["provider"]["kubernetes"]
    for marks in (kubernetes["ignore_annotations"], kubernetes["ignore_labels"]):
        for foreign in ("cattle.io/status", "lifecycle.cattle.io/create.namespace-auth", "field.cattle.io/projectId"):
            assert any(re.search(mark, foreign) for mark in marks), f"{foreign} would be taken away at every apply"
        assert not any(re.search(mark, "pod-security.kubernetes.io/enforce") for mark in marks)


def test_releases_come_in_the_order_of_what_they_need(platform: Template) -> None:
    for path, needed in NEEDS.items():
        release = platform.one("helm_release", path)
        for need in needed:
            type_ = "kubernetes_namespace_v1" if need.startswith("namespaces/") else "helm_release"
            assert platform.reference_to(type_, need) in release["depends_on"], f"{path} does not wait for {need}"


def test_the_application_comes_last(platform: Template) -> None:
    waited = platform.one("kubernetes_config_map_v1")["depends_on"]
    for path in ("database/cluster", "application_secret", "certificates/issuers", "ingress/controller"):
        assert platform.reference_to("helm_release", path) in waited, f"the application does not wait for {path}"


def test_every_namespace_exists_with_pod_security_and_defaults(platform: Template, settings: Settings) -> None:
    """architecture.txt: "Namespace: `cattle-system`", "(namespace: `cert-manager`)", "Namespace: `vet-app`"."""
    wanted = namespaces("vet-app")
    servers = settings.environment(platform.name.removeprefix("vet-").removesuffix("-helm")).servers
    assert set(platform.resources("kubernetes_namespace_v1")) == {f"namespaces/{name}" for name in wanted}
    for name, namespace in wanted.items():
        metadata = platform.one("kubernetes_namespace_v1", f"namespaces/{name}")["metadata"]
        assert metadata["labels"] == namespace.labels
        assert metadata.get("annotations", {}) == namespace.annotations(dedicated=servers.dedicated), name
        (limit,) = platform.one("kubernetes_limit_range_v1", f"namespaces/{name}/limits")["spec"]["limit"]
        assert (limit["default"], limit["default_request"]) == (namespace.default_limits, namespace.default_requests)


def test_a_hardened_cluster_s_namespaces_keep_others_out_and_give_no_tokens(
    tmp_path: Path, templates: Mapping[str, Template]
) -> None:
    """CIS 5.1.5 and 5.3.2; the application's own policies deny what they do not name."""
    main.build_app(
        load(one_environment(tmp_path, {"cluster": {"hardening": "cis"}})), outdir=str(tmp_path / "out")
    ).synth()
    hardened, plain = read(tmp_path / "out")["vet-dev-helm"], templates["vet-dev-helm"]
    accounts = hardened.resources("kubernetes_default_service_account_v1")
    assert set(accounts) == {f"namespaces/{name}/default_account" for name in namespaces("vet-app")}
    assert all(account["automount_service_account_token"] is False for account in accounts.values())
    added = set(hardened.resources("kubernetes_network_policy_v1")) - set(
        plain.resources("kubernetes_network_policy_v1")
    )
    assert added == {f"namespaces/{name}/network_policy" for name in namespaces("vet-app") if name != "vet-app"}
    for path in added:
        policy = hardened.one("kubernetes_network_policy_v1", path)
        for minor in (release_set(name).kubernetes_minor for name in SETS):
            kubernetes_validate.validate(manifest("kubernetes_network_policy_v1", policy, minor), minor, strict=True)
        own, opened = policy["spec"]["ingress"]
        assert own["from"][0] == {"pod_selector": {}}, "pods of one namespace reach each other"
        ports = {int(each["port"]) for each in opened["ports"]}
        assert ports == set(namespaces("vet-app")[path.split("/")[1]].ports)
    assert "vet_app/network/default-deny" in {*plain.resources("kubernetes_network_policy_v1")}
    assert not plain.resources("kubernetes_default_service_account_v1")


@pytest.mark.parametrize("shared", [True, False])
def test_people_who_are_who_they_are_in_aws_are_bound_and_read_secrets_only_if_they_are_to(
    shared: bool, tmp_path: Path
) -> None:
    person = "arn:aws:iam::123456789012:role/somebody"
    access = {"identity": {"issuer": ISSUER, "shared": shared}, "principals": {"read": [person]}}
    main.build_app(load(one_environment(tmp_path, {"access": access})), outdir=str(tmp_path / "out")).synth()
    stacks = read(tmp_path / "out")
    groups = json.loads(stacks["vet-dev-helm"].one("helm_release", "access")["values"][0])["groups"]
    assert groups == {"admin": [], "deploy": [], "read": [f"aws:{person}"]}
    assert len(stacks["vet-dev"].resources("aws_secretsmanager_secret_policy")) == int(shared)
    assert ISSUER in stacks["vet-dev"].text, "the servers do not know it"


def test_namespaces_fit_kubernetes_of_both_sets(platform: Template) -> None:
    for minor in (release_set(name).kubernetes_minor for name in SETS):
        for type_ in ("kubernetes_namespace_v1", "kubernetes_limit_range_v1"):
            for block in platform.resources(type_).values():
                kubernetes_validate.validate(manifest(type_, block, minor), minor, strict=True)


def test_terraform_s_own_matchers_find_releases_and_namespaces(platform: Template) -> None:
    for type_ in ("helm_release", "kubernetes_namespace_v1", "kubernetes_limit_range_v1", "kubernetes_deployment_v1"):
        assert Testing.to_have_resource(platform.text, type_), type_
    assert Testing.to_have_resource_with_properties(
        platform.text, "helm_release", {"name": "rancher", "namespace": "cattle-system"}
    )


def test_both_release_sets_synthesise_with_what_only_one_of_them_has(
    current: Mapping[str, Template], templates: Mapping[str, Template]
) -> None:
    for name in ("vet-dev-helm", "vet-prod-helm"):
        assert "database/backup_plugin" not in templates[name].resources("helm_release")
        plugin = current[name].one("helm_release", "database/backup_plugin")
        assert current[name].reference_to("helm_release", "certificates/cert_manager") in plugin["depends_on"]
        database = current[name].one("helm_release", "database/cluster")
        assert current[name].reference_to("helm_release", "database/backup_plugin") in database["depends_on"]


def test_a_mirror_takes_the_place_of_every_repository(current: Mapping[str, Template]) -> None:
    for path, release in current["vet-prod-helm"].resources("helm_release").items():
        if "version" in release:
            assert release["repository"] == "https://charts.example.com", path


def test_the_autoscaler_is_there_when_its_setting_is_on(
    current: Mapping[str, Template], templates: Mapping[str, Template]
) -> None:
    """architecture.txt: "Auto-scaling: HPA and cluster autoscaler"."""
    assert "autoscaler/autoscaler" not in templates["vet-prod-helm"].resources("helm_release")
    given: Block = json.loads(current["vet-prod-helm"].one("helm_release", "autoscaler/autoscaler")["values"][0])
    assert given["autoDiscovery"] == {"clusterName": "vet-prod"}
    assert given["extraEnv"]["AWS_ROLE_ARN"].endswith(".outputs.pod_role_arns.autoscaler}")


@pytest.mark.parametrize("release", ["aws-ebs-csi-driver", "cluster-autoscaler"])
def test_controllers_are_on_dedicated_servers_and_nowhere_else(
    templates: Mapping[str, Template], current: Mapping[str, Template], release: str
) -> None:
    """Their accounts change nodes, volumes and machines."""
    stacks = current if release == "cluster-autoscaler" else templates
    values = json.loads(stacks["vet-prod-helm"].one("helm_release", name=release)["values"][0])
    block = values["controller"] if release == "aws-ebs-csi-driver" else values
    assert block["nodeSelector"]["node-role.kubernetes.io/control-plane"] == "true"
    assert {"key": "CriticalAddonsOnly", "operator": "Exists"} in block["tolerations"]
    if release == "aws-ebs-csi-driver":
        free = json.loads(templates["vet-dev-helm"].one("helm_release", name=release)["values"][0])
        assert "nodeSelector" not in free["controller"], "dev's server is not dedicated, and small"


def test_an_environment_whose_server_becomes_dedicated_keeps_no_controller_off_it(tmp_path: Path) -> None:
    """dev's values keep them on agents; both at once, and they are nowhere."""
    main.build_app(
        load(one_environment(tmp_path, {"servers": {"dedicated": True}})), outdir=str(tmp_path / "out")
    ).synth()
    template = Template.read(tmp_path / "out/stacks/vet-dev-helm/cdk.tf.json")
    on_servers = {name for name, each in namespaces("vet-app").items() if each.on_dedicated_servers} | {"kube-system"}
    for path, release in template.resources("helm_release").items():
        namespace = release["namespace"]
        if namespace in on_servers or any(f"namespaces_{name}_" in namespace for name in on_servers):
            assert "DoesNotExist" not in release["values"][0], f"{path} may run on no node"
