"""What one part of the JSON says of another is so: what looks for something finds it, under the name and in the order that it needs."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from settings.effects import HELM, INFRASTRUCTURE
from settings.former_keys import present
from settings.remembered import remembered, remembered_of_account
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
            for name, item in value.items():
                if name not in ("//", "depends_on"):
                    yield from _arguments(item, name)
        case list():
            for item in value:
                yield from _arguments(item, key)
        case str():
            yield key, value


def _stacks(templates: Mapping[str, Template]) -> Iterator[Template]:
    yield from (template for name, template in templates.items() if not name.endswith("-helm"))


def test_references_lead_to_what_their_argument_means(templates: Mapping[str, Template]) -> None:
    checked = 0
    for template in _stacks(templates):
        for type_, path, block in template.every_resource():
            for argument, text in _arguments(block):
                wanted = LEADS_TO.get(argument)
                if wanted and (match := REFERENCE.search(text)):
                    checked += 1
                    assert match[2] == wanted, f"{template.name} {type_} {path}: {argument} leads to {match[0]}"
    assert checked > 150, f"only {checked} references found: the search is broken"


def test_what_belongs_to_a_bucket_names_that_bucket(templates: Mapping[str, Template]) -> None:
    for template in _stacks(templates):
        for type_, path, block in template.every_resource():
            owner = path.rpartition("/")[0]
            if type_.startswith("aws_s3_bucket_") and owner in template.resources("aws_s3_bucket"):
                bucket = template.reference_to("aws_s3_bucket", owner)
                assert block["bucket"] == f"${{{bucket}.id}}", f"{template.name} {type_} {path} is of {block['bucket']}"


def test_machines_have_the_tags_by_which_operations_find_them(infrastructure: Template) -> None:
    """``operations/shared/servers.py`` and ``operations/doctor/aws_checks.py`` ask EC2 for these two tags, ``nodes/bin`` for the slot."""
    for path, server in infrastructure.resources("aws_instance").items():
        tags = {"vet:cluster": infrastructure.name, "vet:role": "server", "vet:slot": path.rpartition("_")[2]}
        assert tags.items() <= server["tags"].items(), f"{path}: {server['tags']}"
    launch = infrastructure.one("aws_launch_template")
    specifications = {each["resource_type"]: each["tags"] for each in launch["tag_specifications"]}
    assert set(specifications) == {"instance", "volume", "network-interface"}
    (default,) = infrastructure.document["provider"]["aws"][0]["default_tags"]
    cluster = {f"kubernetes.io/cluster/{infrastructure.name}": "owned"}
    wanted = {"vet:cluster": infrastructure.name, "vet:role": "agent", **cluster, **default["tags"]}
    for type_, tags in specifications.items():
        assert tags == {**wanted, "Name": f"{infrastructure.name}-agent"}, f"agents' {type_}: {tags}"


def test_operations_look_for_the_tags_that_machines_have() -> None:
    looked = {
        tag
        for name in ("operations/shared/servers.py", "operations/doctor/aws_checks.py")
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
    gone = not settings.environment(infrastructure.name.removeprefix("vet-")).deletion_protection
    for type_, path, block in infrastructure.every_resource():
        for argument in ("force_delete", "force_destroy"):
            assert block.get(argument, gone) is gone, f"{type_} {path}: {argument} is {block[argument]}"
    for path, group in infrastructure.resources("aws_autoscaling_group").items():
        assert "force_delete" in group, path
    for path, balancer in infrastructure.resources("aws_lb").items():
        assert balancer["enable_deletion_protection"] is not gone, path


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


WAITS_FOR: dict[str, tuple[str, str]] = {
    "aws_eip": ("aws_internet_gateway", "network/"),
    "aws_nat_gateway": ("aws_route", "network/public"),
    "aws_iam_openid_connect_provider": ("aws_s3_bucket_policy", "web_identity/"),
    "aws_s3_object": ("aws_s3_bucket_policy", "{bucket}/"),
    "aws_s3_bucket_policy": ("aws_s3_bucket_public_access_block", "{bucket}/"),
    "aws_s3_bucket_lifecycle_configuration": ("aws_s3_bucket_versioning", "{bucket}/"),
}
"""By type, what must be there first though no argument names it: type, and beginning of its path, which may be the bucket's own.

An address and its gateway need the internet gateway (Amazon VPC user guide: NAT gateway basics); an identity provider's keys and an object are read
through the bucket's policy; a policy is weighed against the public access block; a rule on former versions needs versions (Amazon S3 API)."""


def test_what_comes_too_early_waits(templates: Mapping[str, Template]) -> None:
    checked = 0
    for template in _stacks(templates):
        for type_, path, block in template.every_resource():
            if type_ not in WAITS_FOR or path.startswith("github/"):
                continue  # GitHub serves the keys of its provider itself
            needed, beginning = WAITS_FOR[type_]
            if "{bucket}" in beginning:
                match = REFERENCE.search(block["bucket"])
                assert match, f"{template.name} {type_} {path} is of {block['bucket']}"
                beginning = _place(template, match[0]).rpartition("/")[0] + "/"
            wanted = [
                template.reference_to(needed, each)
                for each in template.resources(needed)
                if each.startswith(beginning) and (needed != "aws_route" or "default" in each)
            ]
            checked += 1
            assert wanted, f"{template.name} {type_} {path}: no {needed} below {beginning}"
            assert set(wanted) <= _before(template, block), f"{template.name} {type_} {path} does not wait for {wanted}"
    assert checked > 30, f"only {checked} resources found"


def _place(template: Template, address: str) -> str:
    type_, _, name = address.partition(".")
    path: str = template.document["resource"][type_][name]["//"]["metadata"]["path"]
    return path.removeprefix(f"{template.name}/")


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
    namespaces = {}
    for path, namespace in platform.resources("kubernetes_namespace_v1").items():
        namespaces[namespace["metadata"]["name"]] = platform.reference_to("kubernetes_namespace_v1", path)
    checked = 0
    for type_, path, block in platform.every_resource():
        place = block.get("metadata", {}).get("namespace") or block.get("namespace")
        if place in (None, "kube-system") or type_ == "kubernetes_namespace_v1":
            continue
        checked += 1
        if expression := REFERENCE.search(place):
            assert expression[0] in namespaces.values(), f"{type_} {path} is in {place}"
        else:
            assert place in namespaces, (
                f"{type_} {path} is in {place}, which nobody makes; there are {sorted(namespaces)}"
            )
            assert namespaces[place] in _before(platform, block), (
                f"{type_} {path} does not wait for its namespace {place}"
            )
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
    addresses: set[str] = set()
    waiting = list(block.get("depends_on", []))
    while waiting:
        if (address := waiting.pop()) not in addresses:
            addresses.add(address)
            type_, id_ = address.split(".")
            waiting += template.document["resource"][type_][id_].get("depends_on", [])
    return addresses


def _projected(value: Any) -> Iterator[Block]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "secret" and isinstance(item, list):
                yield from item
            else:
                yield from _projected(item)
    elif isinstance(value, list):
        for item in value:
            yield from _projected(item)


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
        rises, falls = (_pods_a_second(scaler, way) for way in ("scale_up", "scale_down"))
        assert rises == 2 * falls > 0, f"{path}: {rises} pods a second are added and {falls} taken"
        assert falls == 1 / 60, f"{path}: one pod a minute leaves, so that its requests are taken over; here {falls}"
        target = scaler["spec"]["scale_target_ref"]
        assert target == {"api_version": "apps/v1", "kind": "Deployment", "name": web["metadata"]["name"]}, path
        assert scaler["metadata"]["namespace"] == place, path
        assert scaler["spec"]["min_replicas"] == int(web["spec"]["replicas"]) < scaler["spec"]["max_replicas"], path


BEFORE_THE_APPLICATION = (
    ("kubernetes_namespace_v1", "namespaces/vet-app/Resource"),
    ("kubernetes_limit_range_v1", "namespaces/vet-app/limits"),
    ("helm_release", "application_secret/Resource"),
    ("helm_release", "database/cluster/Resource"),
    ("helm_release", "certificates/issuers/Resource"),
    ("helm_release", "ingress/controller/Resource"),
)
"""What its pods mount, reach or are admitted by, and what must still be there while they are taken away."""


def test_the_application_comes_after_all_that_it_uses(platform: Template) -> None:
    needed = {platform.reference_to(type_, path.removesuffix("/Resource")) for type_, path in BEFORE_THE_APPLICATION}
    policies = {
        platform.reference_to("kubernetes_network_policy_v1", path)
        for path in platform.resources("kubernetes_network_policy_v1")
    }
    web = platform.reference_to("kubernetes_deployment_v1", "vet_app/web")
    migration = platform.reference_to("kubernetes_job_v1", "vet_app/migration")
    further = {
        "kubernetes_job_v1": policies,
        "kubernetes_deployment_v1": {migration},
        "kubernetes_cron_job_v1": {migration},
        "kubernetes_horizontal_pod_autoscaler_v2": {web},
    }
    checked = 0
    for type_, path, block in platform.every_resource():
        if path.startswith("vet_app/"):
            checked += 1
            missing = (needed | further.get(type_, set())) - _before(platform, block)
            assert not missing, f"{type_} {path} may come before {sorted(missing)}"
    assert checked >= 9, f"only {checked} objects found"


def test_a_changed_configuration_starts_new_pods(platform: Template) -> None:
    """Pods read their ConfigMap at their start: its digest in the template is what makes them begin again."""
    data = platform.one("kubernetes_config_map_v1")["data"]
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    annotations = platform.one("kubernetes_deployment_v1")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["checksum/config"] == digest, f"the ConfigMap's digest is {digest}; pods carry {annotations}"


OF_THE_PODS_THAT_ANSWER = (
    "kubernetes_deployment_v1",
    "kubernetes_horizontal_pod_autoscaler_v2",
    "kubernetes_ingress_v1",
    "kubernetes_pod_disruption_budget_v1",
    "kubernetes_service_v1",
)


def test_objects_of_the_application_are_found_by_its_labels(platform: Template) -> None:
    """``kubectl get all,ingress,hpa,pdb -l app=vet-app,app.kubernetes.io/component=web`` shows what belongs together."""
    web = platform.one("kubernetes_deployment_v1")["metadata"]["labels"]
    for type_, path, block in platform.every_resource():
        labels = block.get("metadata", {}).get("labels", {})
        if type_ in OF_THE_PODS_THAT_ANSWER:
            assert labels == web, f"{type_} {path}: {labels}, and its pods' Deployment has {web}"
        elif path.startswith("vet_app/"):
            part_of = "app.kubernetes.io/part-of"
            assert labels.get(part_of) == web[part_of], f"{type_} {path}: {labels}"


def _pods_a_second(scaler: Block, way: str) -> float:
    """How fast a scaler goes that way; it waits before it falls, so that a pause between two waves of requests costs no pod."""
    (behavior,) = scaler["spec"]["behavior"][way]
    (policy,) = behavior["policy"]
    assert policy["type"] == "Pods"
    assert behavior["stabilization_window_seconds"] == {"scale_up": 120, "scale_down": 600}[way], behavior
    pods: int = policy["value"]
    return pods / int(policy["period_seconds"])


def test_what_a_bucket_drops_is_as_old_as_the_settings_say(infrastructure: Template, settings: Settings) -> None:
    environment = settings.environment(infrastructure.name.removeprefix("vet-"))
    for path, lifecycle in infrastructure.resources("aws_s3_bucket_lifecycle_configuration").items():
        for rule in lifecycle["rule"]:
            for kept in rule.get("noncurrent_version_expiration", []):
                assert kept["noncurrent_days"] == environment.backups.noncurrent_days, f"{path}: {rule}"
            for kept in rule.get("expiration", []):
                if "days" in kept:
                    assert path.startswith("buckets/access_logs"), f"{path} drops what is current: {rule}"
                    assert kept["days"] == environment.load_balancer.access_logs_days, f"{path}: {rule}"


def test_a_stack_remembers_the_settings_that_it_was_made_with(
    templates: Mapping[str, Template], settings: Settings
) -> None:
    """The next plan compares with them, to say what a change does (``operations/deployment/plan.py``)."""
    for template in templates.values():
        kept = template.output("settings")["value"]
        if template.name == "vet-state":
            wanted = remembered_of_account(settings.project, settings.environments)
            assert kept == wanted, f"{template.name}: {set(kept.items()) ^ set(wanted.items())}"
            continue
        stack = HELM if template.name.endswith("-helm") else INFRASTRUCTURE
        environment = settings.environment(template.name.removeprefix("vet-").removesuffix("-helm"))
        wanted = remembered(settings.project, environment, stack)
        assert kept == wanted, f"{template.name}: {set(kept.items()) ^ set(wanted.items())}"


def test_what_is_fixed_is_refused_by_the_present_name_of_its_setting(templates: Mapping[str, Template]) -> None:
    """The state has the name of the first deploy; a person looks for the one that is in the file."""
    kept = {
        f"{name} {path}": block
        for name, template in templates.items()
        for path, block in template.resources("terraform_data").items()
        if "input" in block
    }
    assert kept, "no stack remembers anything"
    for path, block in kept.items():
        messages = [each["error_message"] for each in block["lifecycle"]["postcondition"]]
        for key in block["input"]:
            setting, *part = key.split(" ", 1)
            named = " ".join([present(setting), *part])
            assert any(text.startswith(f"{named} is fixed after") for text in messages), f"{path}: {key}: {messages}"


def test_what_is_fixed_is_compared_with_what_the_settings_say(infrastructure: Template, settings: Settings) -> None:
    """A wrong value here would refuse every plan of an environment that runs, or let a change of it through."""
    environment = settings.environment(infrastructure.name.removeprefix("vet-"))
    values = dict(_flat({**environment.model_dump(mode="json"), **settings.project.model_dump(mode="json")}))
    for path, block in infrastructure.resources("terraform_data").items():
        conditions = [each["condition"] for each in block["lifecycle"]["postcondition"]]
        for key, value in block["input"].items():
            compared = f'${{try(self.input["{key}"], "{value}") == "{value}"}}'
            assert compared in conditions, f"{path} remembers {key} = {value} and compares {conditions}"
            if slot := re.fullmatch(r"network\.zones \(server (\d+)\)", key):
                zone, address = value.split()
                interface = infrastructure.resources("aws_network_interface")[f"servers/slot_{slot[1]}/interface"]
                assert interface["private_ips"] == [address], f"{path}: {value}"
                assert value in {f"{letter} {address}" for letter in environment.network.availability_zones}, (
                    f"{path}: {zone}"
                )
            else:
                now = present(key)
                assert values[now] == value, f"{path} remembers {key} = {value}; the settings say {values[now]}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else key)
    else:
        yield path, value


def test_outputs_name_each_server_s_own_machine(infrastructure: Template) -> None:
    ids = infrastructure.output("server_instance_ids")["value"]
    servers = infrastructure.resources("aws_instance")
    assert set(ids) == {path.rpartition("_")[2] for path in servers if path.startswith("servers/slot_")}
    for slot, expression in ids.items():
        machine = infrastructure.reference_to("aws_instance", f"servers/slot_{slot}")
        assert expression == f"${{{machine}.id}}", f"slot {slot}: {expression}"
