"""What comes from one construct is alike: dev and prod but for what their files say, machines and zones but for their own names.

So damage to one of them is seen beside the others. That all of them are right is for the tests of each concern.
"""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.template import Block, Template

DIFFER = {
    "deletion_protection": (
        "*.force_destroy",
        "*.force_delete",
        "*.recovery_window_in_days",
        "*.deletion_window_in_days",
        "*.noncurrent_days",
        "*.enable_deletion_protection",
        "*.disable_api_termination",
        "*.lifecycle.prevent_destroy",
        "*database/cluster.values.[].<json>.keep",
        "*database/cluster.values.[].<json>.backup.retentionDays",
    ),
    "cluster and agents: size and number": (
        "resource.aws_*.instance_type",
        "resource.*.replicaCount",
        "resource.*rancher.values.[].<json>.replicas",
        "resource.*rancher.values.[].<json>.antiAffinity",
        "resource.*certificates/cert_manager.values.[].<json>.affinity*",
        "resource.*certificates/cert_manager.values.[].<json>.cainjector.*",
        "resource.*certificates/cert_manager.values.[].<json>.webhook.*",
        "resource.*certificates/cert_manager.values.[].<json>.podDisruptionBudget*",
        "resource.*certificates/cert_manager.values.[].<json>.startupapicheck.affinity*",
        "resource.*database/cluster.values.[].<json>.nodeAffinity.*",
        "resource.*storage/driver.values.[].<json>.controller.*",
        "resource.*database/operator.values.[].<json>.*",
        "resource.*namespaces/c*.metadata.annotations*",
        "output.server_instance_ids.value.*",
        "*user_data*",
        "resource.aws_s3_object.buckets/servers.content",
    ),
    "what a stack remembers of the settings": ("output.settings.value*",),
    "network: zones and NAT gateways": (
        "resource.aws_route.network/private_default_route_a.nat_gateway_id",
        "resource.*.proxy-real-ip-cidr",
        "resource.aws_lb.*.subnets.*",
        "resource.*.depends_on.*_c*",
        "resource.aws_vpc_endpoint.*.route_table_ids.*_c*",
        "resource.kubernetes_network_policy_v1.*/database.spec.egress.[].to*",
    ),
    "load_balancer.access_logs": ("resource.aws_lb.ingress.access_logs*", "resource.aws_lb.ingress.depends_on.*"),
    "alarms: nodes may write what they measure": (
        "resource.aws_iam_role_policy.*_role/policy.policy.<json>.Statement",
        "resource.aws_iam_role_policy.*_role/policy.policy.<json>.Statement.[].Condition.StringEquals.cloudwatch:namespace",
        "resource.aws_iam_role_policy.*_role/policy.policy.<json>.Statement.[].Action.cloudwatch:PutMetricData",
        "resource.aws_iam_role_policy.*_role/policy.policy.<json>.Statement.[].Sid",
    ),
    "application": (
        "resource.*database/cluster.values.[].<json>.instances",
        "resource.*database/cluster.values.[].<json>.podAntiAffinityType",
        "resource.*database/cluster.values.[].<json>.parameters.*",
        "resource.*database/cluster.values.[].<json>.resources.*",
        "resource.*.HSTS_SECONDS",
        "resource.helm_release.ingress/controller.values.[].<json>.controller.config.hsts*",
        "resource.*.checksum/config",
        "resource.*.release",
        "resource.*migration.metadata.name",
        "resource.*.cert-manager.io/cluster-issuer",
        "resource.kubernetes_deployment_v1.vet_app/web.lifecycle.ignore_changes.*",
        "resource.kubernetes_deployment_v1.vet_app/web.metadata.annotations.settings/application.replicas",
        "resource.kubernetes_deployment_v1.vet_app/web.spec.replicas",
        "data.kubernetes_resources.vet_app/web/found.*",
    ),
}
"""Where dev and prod differ, by the setting that says so."""

ONLY_PROD = re.compile(
    r"_c\b|_c_association|slot_[12]|nat_(gateway|address)_[ac]|access_logs|buckets/files|vet_app/autoscaler|\.(alarms|budget|volume_snapshots)\b|\brestarts\b"
)
"""Resources that only prod has: of its third zone, its further servers, what its file turns on, and what protection keeps."""

OWN = (
    "resource.terraform_data.*.input.*",
    "*.cidr_block",
    "*.private_ips.*",
    "*.user_data*",
    "*.depends_on.*",
    "*.lifecycle*",
)
"""What each of several servers and zones has for itself: addresses, its number, and who comes first."""


def _flat(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    match value:
        case dict() if value:
            for key, item in value.items():
                if key != "//" and item not in ({}, []):
                    yield from _flat(item, f"{place}.{key}")
        case list() if value and all(isinstance(item, str) and item[:1] not in "{[" for item in value):
            yield from ((f"{place}.{item}", "an entry") for item in value)
        case list() if value:
            yield place, f"{len(value)} entries"
            for item in value:
                yield from _flat(item, f"{place}.[]")
        case str() if value[:1] in ("{", "["):
            yield from _flat(json.loads(value), f"{place}.<json>")
        case _:
            yield place, value


def _leaves(template: Template, environment: str) -> set[tuple[str, str]]:
    """Place and value of every leaf, by paths of constructs and without the environment's name."""
    document = {name: item for name, item in template.document.items() if name != "//"}
    text = json.dumps(document)
    paths = {}
    for section in ("resource", "data"):
        blocks: dict[str, Block] = document.get(section, {})
        for kinds in blocks.values():
            for id_, block in kinds.items():
                if "//" in block:
                    paths[id_] = block["//"]["metadata"]["path"].split("/", 1)[1].removesuffix("/Resource")
    for id_ in sorted(paths, key=len, reverse=True):
        text = text.replace(id_, paths[id_])
    text = text.replace(f"{environment}.example.com", "example.com")
    text = re.sub(rf"(?<![A-Za-z0-9/]){environment}(?![A-Za-z0-9])", "ENV", text)
    return {(place.removeprefix("."), json.dumps(value)) for place, value in _flat(json.loads(text), "")}


def _known(place: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(place, pattern.replace("[]", "[[]]")) for pattern in patterns)


@pytest.mark.parametrize("suffix", ["", "-helm"])
def test_dev_and_prod_differ_only_where_their_files_say(suffix: str, templates: Mapping[str, Template]) -> None:
    dev, prod = (_leaves(templates[f"vet-{name}{suffix}"], name) for name in ("dev", "prod"))
    patterns = tuple(pattern for group in DIFFER.values() for pattern in group)
    assert len(dev & prod) > 800, f"only {len(dev & prod)} leaves are alike: they are compared wrongly"
    strange = sorted(
        ("dev" if leaf in dev else "prod", *leaf)
        for leaf in dev ^ prod
        if not _known(leaf[0], patterns) and not (ONLY_PROD.search(".".join(leaf[0].split(".")[:3])))
    )
    assert not strange, "no setting says why dev and prod differ here:\n" + "\n".join(map(str, strange))


def test_every_difference_that_is_named_is_there(templates: Mapping[str, Template]) -> None:
    places = {
        place
        for suffix in ("", "-helm")
        for place, _ in _leaves(templates[f"vet-dev{suffix}"], "dev") ^ _leaves(templates[f"vet-prod{suffix}"], "prod")
    }
    idle = [pattern for given in DIFFER.values() for pattern in given if not any(_known(p, (pattern,)) for p in places)]
    assert not idle, f"dev and prod do not differ here: {idle}"


def test_servers_and_zones_are_like_the_first(prod: Template) -> None:
    families: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for place, value in _leaves(prod, "prod"):
        section, *rest = place.split(".")
        name = ".".join(rest[:2])
        member = re.search(r"slot_([0-9])|_([a-c])(?=_association|$)", name)
        if section != "resource" or member is None or _known(place, OWN):
            continue
        number = str("abc".find(member[2])) if member[2] else member[1]
        letter = "abc"[int(number)]
        same = [
            re.sub(
                rf"slot_{number}|(?<=[a-z]_){letter}(?=\b|_association)|(?<=us-east-1){letter}|-{letter}(?=\W|$)",
                "N",
                text,
            )
            for text in (place, value)
        ]
        same = [re.sub(rf"(?<=server-){number}|(?<=slot\W){number}", "N", text) for text in same]
        family = name[: member.start()] + "N" + name[member.end() :]
        if place.endswith(".tags.vet:slot"):
            assert value == json.dumps(number), f"{place} is {value}"
            continue
        families.setdefault(family, {}).setdefault(number, set()).add((same[0], same[1]))
    assert sum(len(family) for family in families.values()) > 20, f"hardly any servers or zones: {sorted(families)}"
    for family, members in families.items():
        for number, leaves in members.items():
            assert leaves == members["0"], f"{family}: {number} is not like 0: {sorted(leaves ^ members['0'])}"
