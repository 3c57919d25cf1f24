"""What one part of the JSON says of another is so: whoever looks for something finds it, under the name and in the order that it needs."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.template import REFERENCE, Block, Template

ROOT = Path(__file__).resolve().parents[3]

LEADS_TO = {
    "allocation_id": "aws_eip",
    "autoscaling_group_name": "aws_autoscaling_group",
    "bucket": "aws_s3_bucket",
    "gateway_id": "aws_internet_gateway",
    "iam_instance_profile": "aws_iam_instance_profile",
    "kms_key_id": "aws_kms_key",
    "kms_master_key_id": "aws_kms_key",
    "load_balancer_arn": "aws_lb",
    "nat_gateway_id": "aws_nat_gateway",
    "network_interface_id": "aws_network_interface",
    "private_subnet_id": "aws_subnet",
    "referenced_security_group_id": "aws_security_group",
    "role": "aws_iam_role",
    "route_table_id": "aws_route_table",
    "route_table_ids": "aws_route_table",
    "security_group_id": "aws_security_group",
    "security_groups": "aws_security_group",
    "subnet_id": "aws_subnet",
    "subnets": "aws_subnet",
    "target_group_arn": "aws_lb_target_group",
    "target_key_id": "aws_kms_key",
    "volume_id": "aws_ebs_volume",
    "vpc_id": "aws_vpc",
    "vpc_security_group_ids": "aws_security_group",
    "vpc_zone_identifier": "aws_subnet",
}
"""Type that an argument of this name refers to, in whichever resource it stands."""

DATABASE_SECRETS = {"database-app": {"username", "password"}, "database-ca": {"ca.crt"}}
"""Keys that CloudNativePG writes, of those that it documents: https://cloudnative-pg.io/documentation/current/applications/."""

NEEDED_BY_MACHINES = {
    "aws_iam_role_policy": "_role/",
    "aws_route": "network/private",
    "aws_route_table_association": "network/private",
    "aws_s3_object": "",
    "aws_secretsmanager_secret": "",
    "aws_ssm_parameter": "",
    "aws_vpc_endpoint": "",
}
"""Types and beginnings of paths of all that a node's programs use within their first minute, and Terraform cannot know of."""


@pytest.fixture(params=["vet-dev-helm", "vet-prod-helm"])
def platform(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Each Helm stack in turn."""
    return templates[request.param]


def _arguments(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, found in value.items():
                if name not in ("//", "depends_on"):
                    yield from _arguments(found, name)
        case list():
            for found in value:
                yield from _arguments(found, key)
        case str():
            yield key, value


def _stacks(templates: Mapping[str, Template]) -> Iterator[Template]:
    yield from (found for name, found in templates.items() if not name.endswith("-helm"))


def test_references_lead_to_what_their_argument_means(templates: Mapping[str, Template]) -> None:
    checked = 0
    for template in _stacks(templates):
        for type_, path, block in template.every_resource():
            for argument, text in _arguments(block):
                wanted = LEADS_TO.get(argument)
                if wanted and (found := REFERENCE.search(text)):
                    checked += 1
                    assert found[2] == wanted, f"{template.name} {type_} {path}: {argument} leads to {found[0]}"
    assert checked > 150, f"only {checked} references found: the search is broken"


def test_what_belongs_to_a_bucket_names_that_bucket(templates: Mapping[str, Template]) -> None:
    for template in _stacks(templates):
        for type_, path, block in template.every_resource():
            owner = path.rpartition("/")[0]
            if type_.startswith("aws_s3_bucket_") and owner in template.resources("aws_s3_bucket"):
                bucket = template.reference_to("aws_s3_bucket", owner)
                assert block["bucket"] == f"${{{bucket}.id}}", f"{template.name} {type_} {path} is of {block['bucket']}"


def test_machines_have_the_tags_by_which_operations_find_them(infrastructure: Template) -> None:
    """``operations/servers.py`` and ``operations/checks.py`` ask EC2 for these two tags, ``nodes/bin`` for the slot."""
    for path, server in infrastructure.resources("aws_instance").items():
        tags = {"vet:cluster": infrastructure.name, "vet:role": "server", "vet:slot": path.rpartition("_")[2]}
        assert tags.items() <= server["tags"].items(), f"{path}: {server['tags']}"
    launch = infrastructure.one("aws_launch_template")
    specifications = {found["resource_type"]: found["tags"] for found in launch["tag_specifications"]}
    assert set(specifications) == {"instance", "volume", "network-interface"}
    (default,) = infrastructure.document["provider"]["aws"][0]["default_tags"]
    cluster = {f"kubernetes.io/cluster/{infrastructure.name}": "owned"}
    wanted = {"vet:cluster": infrastructure.name, "vet:role": "agent", **cluster, **default["tags"]}
    for made, tags in specifications.items():
        assert tags == {**wanted, "Name": f"{infrastructure.name}-agent"}, f"agents' {made}: {tags}"


def test_operations_look_for_the_tags_that_machines_have() -> None:
    looked = {
        tag
        for name in ("operations/servers.py", "operations/checks.py")
        for tag in re.findall(r'"tag:([\w:]+)"', (ROOT / name).read_text())
    }
    assert looked == {"vet:cluster", "vet:role"}, f"the test above checks other tags than {looked}"


def test_load_balancers_of_services_find_their_subnets(infrastructure: Template) -> None:
    """https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html names the two tags."""
    for path, subnet in infrastructure.resources("aws_subnet").items():
        role = "elb" if "public" in path else "internal-elb"
        roles = {key: value for key, value in subnet["tags"].items() if key.startswith("kubernetes.io/role/")}
        assert roles == {f"kubernetes.io/role/{role}": "1"}, f"{path}: {roles}"
        assert subnet["tags"][f"kubernetes.io/cluster/{infrastructure.name}"] == "shared", path


def test_only_what_is_not_protected_can_be_forced_away(infrastructure: Template, settings: Settings) -> None:
    gone = not settings.environment(infrastructure.name.removeprefix("vet-")).protect
    for type_, path, block in infrastructure.every_resource():
        for argument in ("force_delete", "force_destroy"):
            assert block.get(argument, gone) is gone, f"{type_} {path}: {argument} is {block[argument]}"
    for path, group in infrastructure.resources("aws_autoscaling_group").items():
        assert "force_delete" in group, path


def test_terraform_waits_as_long_as_the_command_that_it_waits_for(infrastructure: Template) -> None:
    gate, document = infrastructure.one("aws_ssm_association"), infrastructure.one("aws_ssm_document")
    (step,) = json.loads(document["content"])["mainSteps"]
    assert step["action"] == "aws:runShellScript"
    assert gate["name"] == f"${{{infrastructure.reference_to('aws_ssm_document', 'ready/document')}.name}}"
    waited, run = gate["wait_for_success_timeout_seconds"], int(step["inputs"]["timeoutSeconds"])
    assert run == waited, f"the command may run for {run} s and Terraform waits for {waited} s"
    tries, pause = map(int, re.findall(r"seq (\d+).*sleep (\d+)", step["inputs"]["runCommand"][0])[0])
    assert tries * pause == 600, "it says '10 minutes'"
    assert waited == 45 * 60, "README and the runbooks name 40 minutes, in which server 0 gives up by itself"


def test_machines_come_after_all_that_their_programs_use(infrastructure: Template) -> None:
    needed = {
        infrastructure.reference_to(type_, path)
        for type_, beginning in NEEDED_BY_MACHINES.items()
        for path in infrastructure.resources(type_)
        if (beginning in path if beginning.startswith("_") else path.startswith(beginning))
    }
    machines = {**infrastructure.resources("aws_instance"), **infrastructure.resources("aws_autoscaling_group")}
    for path, machine in machines.items():
        missing = needed - set(machine["depends_on"])
        assert not missing, f"{path} may come before {sorted(missing)}"


def test_every_object_s_namespace_is_made_before_it(platform: Template) -> None:
    made = {}
    for path, found in platform.resources("kubernetes_namespace_v1").items():
        made[found["metadata"]["name"]] = platform.reference_to("kubernetes_namespace_v1", path)
    checked = 0
    for type_, path, block in platform.every_resource():
        place = block.get("metadata", {}).get("namespace") or block.get("namespace")
        if place in (None, "kube-system") or type_ == "kubernetes_namespace_v1":
            continue
        checked += 1
        if expression := REFERENCE.search(place):
            assert expression[0] in made.values(), f"{type_} {path} is in {place}"
        else:
            assert place in made, f"{type_} {path} is in {place}, which nobody makes; there are {sorted(made)}"
            assert made[place] in _before(platform, block), f"{type_} {path} does not wait for its namespace {place}"
    assert checked > 10


def test_every_secret_s_key_that_a_pod_reads_is_written(platform: Template) -> None:
    given = json.loads(platform.one("helm_release", "application_secret")["values"][0])
    written = {**DATABASE_SECRETS, given["name"]: set(given["keys"])}
    checked = 0
    for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1"):
        for path, block in platform.resources(type_).items():
            for secret in _projected(block):
                checked += 1
                name, keys = secret["name"], {item["key"] for item in secret["items"]}
                lacking = keys - written.get(name, set())
                assert not lacking, f"{type_} {path} reads {sorted(lacking)} of {name}, which nobody writes"
                assert all(item["key"] == item["path"] for item in secret["items"]), f"{path}: {secret['items']}"
    assert checked >= 4, f"only {checked} secrets found"


def _before(template: Template, block: Block) -> set[str]:
    """Addresses of all that comes before a resource, directly or by another."""
    found: set[str] = set()
    waiting = list(block.get("depends_on", []))
    while waiting:
        if (address := waiting.pop()) not in found:
            found.add(address)
            type_, id_ = address.split(".")
            waiting += template.document["resource"][type_][id_].get("depends_on", [])
    return found


def _projected(value: Any) -> Iterator[Block]:
    if isinstance(value, dict):
        for name, found in value.items():
            if name == "secret" and isinstance(found, list):
                yield from found
            else:
                yield from _projected(found)
    elif isinstance(value, list):
        for found in value:
            yield from _projected(found)


def test_selectors_and_scale_targets_find_the_pods(platform: Template) -> None:
    web = platform.one("kubernetes_deployment_v1")
    labels, place = web["spec"]["template"]["metadata"]["labels"], web["metadata"]["namespace"]
    for type_ in ("kubernetes_deployment_v1", "kubernetes_pod_disruption_budget_v1", "kubernetes_service_v1"):
        selector = platform.one(type_)["spec"]["selector"]
        wanted = selector.get("match_labels", selector)
        assert wanted, f"{type_} selects every pod"
        assert wanted.items() <= labels.items(), f"{type_} selects {wanted}, and pods have {labels}"
    for rule in web["spec"]["template"]["spec"]["topology_spread_constraint"]:
        (selector,) = rule["label_selector"]
        assert selector["match_labels"].items() <= labels.items(), f"{rule} looks at no pod of its own"
        assert rule["max_skew"] == 1, "two more pods on one node than on another is no spread of two replicas"
    for path, scaler in platform.resources("kubernetes_horizontal_pod_autoscaler_v2").items():
        target = scaler["spec"]["scale_target_ref"]
        assert target == {"api_version": "apps/v1", "kind": "Deployment", "name": web["metadata"]["name"]}, path
        assert scaler["metadata"]["namespace"] == place, path
        assert scaler["spec"]["min_replicas"] == int(web["spec"]["replicas"]) < scaler["spec"]["max_replicas"], path
