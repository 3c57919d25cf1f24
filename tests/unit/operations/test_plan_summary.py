"""What a plan may take away, and what is said of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from operations.deployment.plan_summary import losses, refuse_losses, settings_changed, summary, waiting
from operations.shared.errors import Failure
from tests.unit.operations.plans import plan


def _resized(kind: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    change = {"actions": ["update"], "before": before, "after": after}
    return {"resource_changes": [{"address": f"{kind}.it", "type": kind, "change": change}]}


@pytest.mark.parametrize(
    "address",
    ["aws_instance.s", "aws_ebs_volume.d", "aws_s3_bucket.b", "aws_kms_key.k", "aws_route53_zone.z", "aws_lb.l", "aws_eip.e",
     "helm_release.database", "kubernetes_namespace_v1.n"],
)  # fmt: skip
def test_nothing_precious_goes_without_a_setting_that_takes_it(address: str) -> None:
    for lost in (plan(delete=[address]), plan(replace=[address], settings={"agents.min_count": ("2", "3")})):
        with pytest.raises(Failure, match=address):
            refuse_losses(lost)
        refuse_losses(lost, accepted=f"{address} another.one")


def test_a_setting_takes_what_it_is_declared_to_take_and_no_more() -> None:
    settings = {"network.nat_gateways": ('["a", "b"]', '["a"]')}
    refuse_losses(plan(delete=["aws_eip.network_nat_address_b_1234"], settings=settings))
    with pytest.raises(Failure, match=r"aws_eip\.other"):
        refuse_losses(plan(delete=["aws_eip.other"], settings=settings))
    same = {"network.nat_gateways": ('["a"]', '["a"]')}
    with pytest.raises(Failure, match=r"aws_eip\.network_nat"):
        refuse_losses(plan(delete=["aws_eip.network_nat_address_b_1234"], settings=same))


def test_what_aws_would_refuse_in_the_middle_no_setting_allows() -> None:
    settings = {"load_balancer.access_logs": ("true", "false")}
    address = "aws_s3_bucket.buckets_access_logs_1"
    refuse_losses(plan(delete=[address], before={"force_destroy": True}, settings=settings))
    with pytest.raises(Failure, match="while it holds anything"):
        refuse_losses(plan(delete=[address], before={"force_destroy": False}, settings=settings))


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        ("aws_ebs_volume", lambda size: {"size": size}),
        ("aws_instance", lambda size: {"root_block_device": [{"volume_size": size}]}),
    ],
)
def test_a_disk_may_grow_and_not_shrink(kind: str, of: Callable[[int], dict[str, Any]]) -> None:
    refuse_losses(_resized(kind, of(20), of(40)))
    with pytest.raises(Failure, match=rf"shrink .* from 40 to 20 GiB, which AWS refuses: {kind}\.it"):
        refuse_losses(_resized(kind, of(40), of(20)))


def test_an_instance_that_says_nothing_of_its_disk_is_not_resized() -> None:
    refuse_losses(_resized("aws_instance", {"root_block_device": []}, {}))


def test_a_jump_host_and_a_validation_record_are_of_no_weight() -> None:
    assert losses(plan(replace=["aws_instance.jump_host_1"], before={"tags": {"vet:role": "jump"}})) == []
    assert losses(plan(delete=["aws_route53_record.v"], before={"type": "CNAME"})) == []
    assert len(losses(plan(delete=["aws_route53_record.alias"], before={"type": "A"}))) == 1


def test_the_summary_says_what_each_changed_setting_takes() -> None:
    changes = {"access.ssh.public_key": ("null", '"ssh-ed25519 A"'), "agents.min_count": ("3", "3")}
    changing = plan(create=["aws_key_pair.k"], settings=changes)
    assert settings_changed(changing) == ["access.ssh.public_key"]
    first, line = summary("vet-dev", changing)
    assert first == "vet-dev: 1 to create"
    assert "access.ssh.public_key: next server roll; agents' refresh" in line
    assert waiting(changing) == ["make roll-servers", "make roll-agents"]


def test_a_new_environment_is_one_line() -> None:
    assert summary("vet-dev", plan(create=["aws_vpc.a", "aws_eip.b"])) == ["vet-dev is new: 2 to create"]


def test_another_region_is_refused_unless_the_old_one_is_lost() -> None:
    moving = plan(create=["aws_vpc.a"], settings={"region": ('"us-east-1"', '"us-west-2"')})
    with pytest.raises(Failure, match=r"lost-region\.md"):
        refuse_losses(moving)
    refuse_losses(moving, accepted="region")


def _versions(before: str | None, after: str) -> dict[str, Any]:
    return {"resource_changes": [], "output_changes": {"kubernetes_version": {"before": before, "after": after}}}


@pytest.mark.parametrize("after", ["v1.28.15+rke2r1", "v1.35.7+rke2r1", "v1.25.16+rke2r1"])
def test_servers_skip_no_minor_and_never_go_back(after: str) -> None:
    planned = _versions("v1.26.15+rke2r1", after)
    with pytest.raises(Failure, match=r"RKE2 v1\.26\.15\+rke2r1 is deployed(?s:.*)make upgrade ENV="):
        refuse_losses(planned)
    refuse_losses(planned, accepted="cluster.versions")


@pytest.mark.parametrize("before", [None, "v1.26.14+rke2r1", "v1.26.15+rke2r1", "v1.25.16+rke2r1"])
def test_the_next_minor_and_any_patch_are_planned(before: str | None) -> None:
    refuse_losses(_versions(before, "v1.26.15+rke2r1"))


@pytest.mark.parametrize("key", ["application.volume", "services.monitoring.volume"])
def test_a_volume_of_a_pod_may_grow_and_not_shrink(key: str) -> None:
    refuse_losses(plan(settings={key: ('"900Mi"', '"1Gi"')}))
    with pytest.raises(Failure, match=rf"{key} from 1Gi to 900Mi. A volume grows and never shrinks"):
        refuse_losses(plan(settings={key: ('"1Gi"', '"900Mi"')}))


def test_a_service_that_is_turned_off_shrinks_nothing() -> None:
    turned_off = plan(settings={"services.monitoring.enabled": ("true", "false")})
    turned_off["output_changes"]["settings"]["before"]["services.monitoring.volume"] = '"20Gi"'
    refuse_losses(turned_off)


@pytest.mark.parametrize(
    ("versions", "commands"),
    [
        ({"rancher": "2.8.5"}, []),
        ({"postgresql": "17.11"}, []),
        ({"rke2": "v1.27.16+rke2r2"}, ["make roll-servers", "make roll-agents"]),
        ({"rke2": "v1.27.16+rke2r2", "rancher": "2.8.5"}, ["make roll-servers", "make roll-agents"]),
    ],
    ids=["Rancher", "PostgreSQL", "RKE2", "both"],
)
def test_versions_roll_nodes_where_nodes_bring_them(versions: dict[str, str], commands: list[str]) -> None:
    changing = plan(
        settings={
            "cluster.release_set": ('"documented"', '"documented"'),
            "cluster.versions": ("{}", json.dumps(versions)),
        }
    )
    assert waiting(changing) == commands
    text = "\n".join(summary("vet-dev", changing))
    assert all(component in text for component in versions), text
    assert ("next server roll" in text) is bool(commands), text


def test_versions_that_are_not_known_any_more_take_what_versions_may_take() -> None:
    changing = plan(settings={"cluster.versions": ("{}", '{"rancher": "2.8.5"}')})
    assert waiting(changing) == ["make roll-servers", "make roll-agents"], (
        "what cannot be told is not taken for no roll"
    )


@pytest.mark.parametrize(
    ("kind", "attribute"), [("aws_volume_attachment", "instance_id"), ("aws_lb_target_group_attachment", "target_id")]
)
def test_a_server_keeps_its_volume_and_its_place_unless_it_is_lost(kind: str, attribute: str) -> None:
    held = plan(replace=[f"{kind}.servers_slot_0"], before={attribute: "i-1"})
    server = {
        "address": "aws_instance.s",
        "type": "aws_instance",
        "change": {"actions": ["no-op"], "before": {"id": "i-1"}},
    }
    refuse_losses(held)  # its machine is gone, and another one is made
    held["resource_changes"].append(server)
    with pytest.raises(Failure, match=rf"replace .*{kind}\.servers_slot_0"):
        refuse_losses(held)


@pytest.mark.parametrize(
    "address",
    ["aws_lb_target_group.t", "aws_lb_listener.l", "aws_autoscaling_group.a", "aws_nat_gateway.n", "aws_iam_role.r",
     "aws_cloudwatch_log_group.c", "kubernetes_deployment_v1.d", "kubernetes_service_v1.s", "kubernetes_ingress_v1.i"],
)  # fmt: skip
def test_what_serves_people_does_not_go_unasked(address: str) -> None:
    with pytest.raises(Failure, match=address):
        refuse_losses(plan(replace=[address], settings={"agents.min_count": ("2", "3")}))
