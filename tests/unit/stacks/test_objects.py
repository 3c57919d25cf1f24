"""Kubernetes objects and charts' values: words are those that Kubernetes and the AWS SDK know, names are those that something else makes."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings
from tests.template import Template

ROOT = Path(__file__).resolve().parents[3]

WORDS = {
    "*.image_pull_policy": {"Always", "IfNotPresent", "Never"},
    "*.match_expressions.operator": {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"},
    "*.metric.type": {"Resource", "ContainerResource", "Pods", "Object", "External"},
    "*.path_type": {"Exact", "Prefix", "ImplementationSpecific"},
    "*.policy.type": {"Pods", "Percent"},
    "*.policy_types": {"Ingress", "Egress"},
    "*.protocol": {"TCP", "UDP", "SCTP"},
    "*.restart_policy": {"Always", "OnFailure", "Never"},
    "*.scale_target_ref.kind": {"Deployment"},
    "*.seccomp_profile.type": {"RuntimeDefault", "Localhost", "Unconfined"},
    "*.select_policy": {"Max", "Min", "Disabled"},
    "*.strategy.type": {"RollingUpdate", "Recreate"},
    "*.target.type": {"Utilization", "Value", "AverageValue"},
    "*.when_unsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "kubernetes_limit_range_v1.spec.limit.type": {"Container", "Pod", "PersistentVolumeClaim"},
    "kubernetes_service_v1.spec.type": {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"},
}
"""What the API takes, by the place of the attribute (Kubernetes API reference, 1.26 and newer)."""

FREE = re.compile(r"\.(data|annotations|labels|match_labels|env|env_from|drop|command|args)(\.|$)")
"""Places with words of people's choice."""

SDK = {"AWS_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_STS_REGIONAL_ENDPOINTS"}
"""Variables that a program with the AWS SDK takes its role from (AWS SDKs and Tools reference: assume role credential provider)."""

SWITCHES = re.compile(
    "hsts(-include-subdomains|-preload)?|server-tokens|ssl-redirect|use-[a-z-]+|compute-full-forwarded-for|enable-real-ip"
)
"""Keys of the ingress controller's ConfigMap that are ``true`` or ``false`` (ingress-nginx: ConfigMap)."""

EVERYWHERE = {"0.0.0.0/0", "::/0"}

REGION = re.compile(r"\b(?:us|eu|ap|ca|sa|me|af|il|mx)-[a-z]+-[0-9]\b")

RESTARTED = 'spec[0].template[0].metadata[0].annotations["kubectl.kubernetes.io/restartedAt"]'
"""What ``kubectl rollout restart`` sets (Kubernetes reference: well-known annotations)."""


@pytest.fixture(params=["vet-dev-helm", "vet-prod-helm"])
def platform(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Each Helm stack in turn."""
    return templates[request.param]


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for name, inner in value.items():
                if name not in ("//", "depends_on", "lifecycle", "metadata"):
                    yield from _leaves(inner, f"{place}.{name}")
        case list():
            for inner in value:
                yield from _leaves(inner, place)
        case _:
            yield place, value


def _values(platform: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """The values that Helm gets from Terraform, by the release's path."""
    for path, release in platform.resources("helm_release").items():
        for text in release.get("values", []):
            yield path, json.loads(text)


def _lists_of_variables(value: Any) -> Iterator[list[dict[str, Any]]]:
    match value:
        case dict():
            for inner in value.values():
                yield from _lists_of_variables(inner)
        case list():
            if any(isinstance(each, dict) and str(each.get("name", "")).startswith("AWS_") for each in value):
                yield value
            for inner in value:
                yield from _lists_of_variables(inner)


def test_words_are_those_that_kubernetes_knows(platform: Template) -> None:
    used = set()
    for type_, path, block in platform.every_resource():
        for place, value in _leaves(block, type_) if type_.startswith("kubernetes_") else ():
            if not (isinstance(value, str) and re.fullmatch("[A-Z][A-Za-z]+", value)) or FREE.search(place):
                continue
            known = [name for name in WORDS if place == name or (name[0] == "*" and place.endswith(name[1:]))]
            assert known, f"{path}: {place} = {value} has no row in WORDS"
            assert value in WORDS[known[0]], (
                f"{path}: {place} = {value}, and Kubernetes takes {sorted(WORDS[known[0]])}"
            )
            used.add(known[0])
    assert len(used) > 8, f"only {used} were found"


def test_a_scaler_that_is_there_measures_something(templates: Mapping[str, Template]) -> None:
    scalers = templates["vet-prod-helm"].resources("kubernetes_horizontal_pod_autoscaler_v2")
    assert scalers, "prod scales as it comes"
    for path, scaler in scalers.items():
        assert scaler["spec"]["metric"], f"{path} has no metric, and would never scale"


def test_a_scaler_aims_at_what_the_settings_say(templates: Mapping[str, Template], settings: Settings) -> None:
    autoscaling = settings.environment("prod").application.autoscaling
    assert autoscaling is not None
    for path, scaler in templates["vet-prod-helm"].resources("kubernetes_horizontal_pod_autoscaler_v2").items():
        aims = [metric["resource"]["target"]["average_utilization"] for metric in scaler["spec"]["metric"]]
        assert aims == [autoscaling.target_cpu_percent], path


def test_who_may_reach_the_internet_does_not_reach_the_metadata_service(platform: Template) -> None:
    """It answers with the node's credentials (Amazon EC2 user guide: instance metadata)."""
    blocks = [
        (path, to["ip_block"])
        for path, policy in platform.resources("kubernetes_network_policy_v1").items()
        for rule in policy["spec"].get("egress", [])
        for to in rule.get("to", [])
        if to.get("ip_block", {}).get("cidr") in EVERYWHERE
    ]
    assert blocks, "the application's reminders go by mail, and the database's backups to S3"
    for path, block in blocks:
        assert "169.254.0.0/16" in block["except"], f"{path}: {block}"


def test_switches_of_the_ingress_controller_are_on_or_off(platform: Template) -> None:
    config = next(values["controller"]["config"] for path, values in _values(platform) if path.startswith("ingress/"))
    switches = {key: value for key, value in config.items() if SWITCHES.fullmatch(key)}
    assert len(switches) > 5, f"found {switches}"
    assert not (strange := {key: value for key, value in switches.items() if value not in ("true", "false")}), strange


def test_certificates_come_from_an_issuer_that_is_made(platform: Template) -> None:
    chart = yaml.safe_load((ROOT / "helm-values/charts/cluster-issuers/values.yaml").read_text())
    issuers = set(chart["issuers"])
    ingresses = platform.resources("kubernetes_ingress_v1")
    assert ingresses
    for path, ingress in ingresses.items():
        issuer = ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"]
        assert issuer in issuers, f"{path} waits for {issuer}, and there are {issuers}"


def test_programs_find_their_role_as_the_sdk_looks_for_it(platform: Template) -> None:
    lists = [(path, names) for path, values in _values(platform) for names in _lists_of_variables(values)]
    assert lists, "no chart gets a role"
    for path, variables in lists:
        named = {each["name"]: each["value"] for each in variables if each["name"].startswith("AWS_")}
        assert named.keys() == SDK, f"{path}: {sorted(named)}"


def test_a_pod_s_token_lies_where_its_program_looks(platform: Template) -> None:
    for path, values in _values(platform):
        for part in [values, *(inner for inner in values.values() if isinstance(inner, dict))]:
            variables = part.get("env") or part.get("extraEnv") or []
            file = next((each["value"] for each in variables if each["name"] == "AWS_WEB_IDENTITY_TOKEN_FILE"), None)
            if file is not None and "volumeMounts" in part:
                tokens = {
                    f"{mount['mountPath']}/{source['serviceAccountToken']['path']}"
                    for mount in part["volumeMounts"]
                    for volume in part["volumes"]
                    if volume["name"] == mount["name"]
                    for source in volume["projected"]["sources"]
                }
                assert file in tokens, f"{path}: {file} is none of {tokens}"


def test_charts_work_in_the_environment_s_region(platform: Template, settings: Settings) -> None:
    region = settings.environment(platform.name.removeprefix("vet-").removesuffix("-helm")).region
    regions = [(path, match) for path, values in _values(platform) for match in REGION.findall(json.dumps(values))]
    assert len(regions) > 3, "hardly a chart is told its region"
    assert not (others := [each for each in regions if each[1] != region]), f"not in {region}: {others}"


def test_a_restart_by_hand_is_not_taken_back(platform: Template) -> None:
    for path, deployment in platform.resources("kubernetes_deployment_v1").items():
        assert RESTARTED in deployment["lifecycle"]["ignore_changes"], path
