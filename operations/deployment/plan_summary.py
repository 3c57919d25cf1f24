"""What a plan does, in the terms of the settings; and the refusal of one that takes away what holds data or serves people.

Terraform's plan in JSON has the settings of the last apply beside those of this one (the stack's output ``settings``), so it says by
itself which were changed. What each may do is declared in ``settings/effects.py``.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from operations.shared.errors import Failure
from settings.effects import HOW, Effect, effect, of_versions
from settings.former_keys import first_name
from settings.names import STATE_STACK
from settings.quantities import size
from settings.release_sets import UnknownReleaseError, release_set
from settings.remembered import changed
from settings.upgrades import NODES, follows

Plan = dict[str, Any]
"""Terraform's JSON of a plan (Terraform: JSON Output Format, plan representation)."""

PRECIOUS = {
    "aws_autoscaling_group": "a group of agents",
    "aws_cloudwatch_log_group": "what was logged",
    "aws_ebs_volume": "a data volume",
    "aws_ecr_repository": "the images",
    "aws_eip": "an address that others may know",
    "aws_iam_openid_connect_provider": "the trust in the cluster's pods",
    "aws_iam_role": "a role that machines, pods or people have",
    "aws_instance": "a server",
    "aws_kms_key": "a key, and with it all that it encrypts",
    "aws_lb": "an address that people know",
    "aws_lb_listener": "a port of a load balancer",
    "aws_lb_target_group": "a load balancer's way to the servers",
    "aws_lb_target_group_attachment": "a server's place behind a load balancer",
    "aws_nat_gateway": "a way to the internet",
    "aws_network_interface": "a server's address",
    "aws_route53_record": "a name that people know",
    "aws_route53_zone": "a zone",
    "aws_s3_bucket": "a bucket",
    "aws_secretsmanager_secret": "a secret",
    "aws_ssm_parameter": "what the cluster has published",
    "aws_subnet": "a subnet",
    "aws_volume_attachment": "a server's data volume, detached, which stops the server",
    "aws_vpc": "the network",
    "helm_release": "a release and its objects",
    "kubernetes_deployment_v1": "the application's pods",
    "kubernetes_ingress_v1": "the way from a public host to its pods",
    "kubernetes_namespace_v1": "a namespace and all that is in it",
    "kubernetes_service_v1": "an address inside the cluster",
}
"""Kinds of resources that a plan may take away only where a changed setting is declared to do so."""

SIZES: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "aws_ebs_volume": ("a data volume", ("size",)),
    "aws_instance": ("a server's disk", ("root_block_device", 0, "volume_size")),
}
"""Sizes in GiB that AWS lets grow and never shrink (EC2: ModifyVolume): whose, and the way to it in the resource."""

ELSEWHERE = "region"
"""The setting by which everything would be made a second time, and what is there forgotten. Terraform itself does not refuse it: a lost
region is built again this way (docs/runbooks/lost-region.md), with this word among what may be lost."""

WAY = (
    "Nothing was changed. docs/runbooks/changing-settings.md tells the safe way of each setting. If it is meant, name what may go:\n"
    '  {command} LOSE="ADDRESS ..."'
)


@dataclass(frozen=True)
class Loss:
    """Something precious that a plan takes away."""

    address: str
    """Terraform's."""

    what: str
    """For people."""

    verb: str
    """``delete``, ``replace`` or ``shrink``."""

    because: str = ""
    """Attributes that force it, if Terraform says so."""

    impossible: bool = False
    """AWS would refuse it in the middle of the apply, so no setting can allow it."""

    def __str__(self) -> str:
        return f"{self.verb} {self.what}: {self.address}{f' (by {self.because})' if self.because else ''}"


VERSIONS = ("cluster.release_set", "cluster.versions")
"""Settings whose effect depends on which components they change."""

KUBERNETES = "cluster.versions"
"""The setting that decides the minor of Kubernetes, and the word that lets a plan go back behind what is deployed."""


def settings_changed(plan: Plan) -> list[str] | None:
    """Keys of the settings that differ from the last apply's; ``None`` where that is not known: at a first apply, and at the
    first one of this version."""
    before, after = _sides(plan, "settings")
    return changed(before, after) if isinstance(before, dict) and isinstance(after, dict) else None


def effect_of(plan: Plan, key: str) -> Effect:
    """What a plan's change of a setting takes: as declared, and for versions what those components take that change."""
    if key not in VERSIONS:
        return effect(key)
    try:
        before, after = (_pins(side) for side in _sides(plan, "settings"))
    except (KeyError, UnknownReleaseError):  # deployed before it was remembered, or with what the catalogue has no more
        return effect(key)
    return of_versions([each for each in {**before, **after} if before.get(each) != after.get(each)], NODES)


def _pins(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Version of each component, of the settings that a stack remembers."""
    release_set_, versions = (json.loads(settings[key]) for key in VERSIONS)
    return release_set(release_set_).override(versions).pins


def losses(plan: Plan) -> list[Loss]:
    """What the plan takes away of what is precious."""
    resources = plan.get("resource_changes", [])
    machines = {(each["change"].get("before") or {}).get("id") for each in resources if each["type"] == "aws_instance"}
    return [loss for each in resources if not _of_a_lost_machine(each, machines) for loss in _losses(each)]


def refuse_losses(plan: Plan, *, accepted: str = "", stack: str = "") -> None:
    """Stop at a plan that takes away what no changed setting is declared to take.

    :param accepted: addresses that the person has named, separated by spaces.
    :param stack: the plan's, for the command that the refusal tells; left out, an environment's.

    Raises:
        Failure: naming each loss, the settings that were changed and what is declared of them.
    """
    keys = settings_changed(plan) or []
    if ELSEWHERE in keys and ELSEWHERE not in accepted.split():
        raise Failure(
            f"this plan is refused: {ELSEWHERE} is {effect(ELSEWHERE)}. Everything would be made a second time, and what runs would be forgotten.\n"
            "Nothing was changed. If the old region is lost: docs/runbooks/lost-region.md"
        )
    refuse_settings(plan, accepted=accepted)
    allowed = [pattern for key in keys for pattern in effect(key).loses]
    refused = [
        loss
        for loss in losses(plan)
        if loss.address not in accepted.split()
        and (loss.impossible or not any(fnmatchcase(loss.address, pattern) for pattern in allowed))
    ]
    if not refused:
        return
    command = "make state" if stack == STATE_STACK else "make deploy ENV=..."
    changes = "".join(f"\n  {key}: {effect_of(plan, key)}" for key in keys) or " nothing that is known"
    raise Failure(
        "this plan is refused. It would\n  "
        + "\n  ".join(map(str, refused))
        + f"\nand no changed setting is declared to do that. Changed since the last apply:{changes}\n{WAY.format(command=command)}"
    )


def refuse_settings(plan: Plan, *, accepted: str = "") -> None:
    """Stop at values to which nothing that runs can be brought, whatever the resources of the plan are: a smaller volume of a pod, and a
    Kubernetes that is not the deployed one's next.

    Raises:
        Failure: naming the setting, both values and the way.
    """
    taken = accepted.split()
    smaller = [key for key in settings_changed(plan) or [] if key not in taken and _shrinks(plan, key)]
    if smaller:
        was = ", ".join(f"{key} from {' to '.join(_sizes(plan, key))}" for key in smaller)
        raise Failure(
            f"this plan is refused: {was}. A volume grows and never shrinks.\nNothing was changed. Put the former value back."
        )
    deployed, wanted = _sides(plan, "kubernetes_version")
    if deployed and wanted and KUBERNETES not in taken and not follows(deployed, wanted):
        raise Failure(
            f"this plan is refused: RKE2 {deployed} is deployed, and {KUBERNETES} or its release set says {wanted}. Servers go to the next "
            "minor of Kubernetes, one minor at a time, and never back: a server of another one would start on etcd's data of this one.\n"
            "Nothing was changed. Put the former value back, and let make upgrade ENV=... take the steps (docs/runbooks/upgrading.md).\n"
            f"If a snapshot of an older Kubernetes is brought back (docs/runbooks/lost-quorum.md): make deploy ENV=... LOSE={KUBERNETES}"
        )


def _sides(plan: Plan, output: str) -> tuple[Any, Any]:
    """An output of the last apply and of this one; None for what there was not."""
    change = plan.get("output_changes", {}).get(output, {})
    return change.get("before"), change.get("after")


def _sizes(plan: Plan, key: str) -> tuple[str, ...]:
    """A size in settings before and after; less than two where one side has none."""
    values = [side.get(first_name(key)) for side in _sides(plan, "settings")]
    return tuple(json.loads(value) for value in values if value is not None)


def _shrinks(plan: Plan, key: str) -> bool:
    sizes = _sizes(plan, key) if effect(key).grows_only else ()
    return len(sizes) == 2 and size(sizes[1]) < size(sizes[0])


def summary(stack: str, plan: Plan) -> list[str]:
    """What the plan does, in a few lines: the changed settings with what each takes, then the count of resources."""
    keys, counts = settings_changed(plan), _counts(plan)
    if keys is None and counts and set(counts) == {"create"}:
        return [f"{stack} is new: {counts['create']} to create"]
    lines = [f"{key}: {effect_of(plan, key)}" for key in keys or []] + [str(loss) for loss in losses(plan)]
    totals = ", ".join(f"{count} to {verb}" for verb, count in counts.items())
    return [f"{stack}: {totals or 'no resource changes'}", *(f"  {line}" for line in lines)]


def waiting(plan: Plan) -> list[str]:
    """Commands that bring what an apply of this plan leaves to them."""
    kinds = {kind for key in settings_changed(plan) or [] for kind in effect_of(plan, key).kinds}
    return [command for kind, command in HOW.items() if kind in kinds]


def _counts(plan: Plan) -> dict[str, int]:
    """How many resources are deleted, replaced, changed, made."""
    verbs = Counter(_verb(resource["change"]["actions"]) for resource in plan.get("resource_changes", []))
    return {verb: verbs[verb] for verb in ("delete", "replace", "change", "create") if verbs[verb]}


def _verb(actions: list[str]) -> str:
    if {"create", "delete"} <= set(actions):
        return "replace"
    return {"update": "change"}.get(actions[0], actions[0])


def _losses(resource: dict[str, Any]) -> Iterator[Loss]:
    change, kind, address = resource["change"], resource["type"], resource["address"]
    verb, before = _verb(change["actions"]), change.get("before") or {}
    if verb in ("delete", "replace") and kind in PRECIOUS and not _of_no_weight(kind, before):
        full = kind == "aws_s3_bucket" and before.get("force_destroy") is False
        what = PRECIOUS[kind] + (", which AWS refuses while it holds anything" if full else "")
        paths = sorted({str(path[0]) for path in change.get("replace_paths", []) if path})
        yield Loss(address, what, verb, ", ".join(paths), impossible=full)
    if verb == "change" and kind in SIZES:
        whose, path = SIZES[kind]
        was, becomes = _at(before, path), _at(change.get("after"), path)
        if was and becomes and becomes < was:
            what = f"{whose} from {was} to {becomes} GiB, which AWS refuses"
            yield Loss(address, what, "shrink", str(path[-1]), impossible=True)


ATTACHMENTS = {"aws_volume_attachment": "instance_id", "aws_lb_target_group_attachment": "target_id"}
"""What holds on to a machine, and the attribute with the machine's id."""


def _of_a_lost_machine(resource: dict[str, Any], machines: Collection[str | None]) -> bool:
    """Whether it holds on to a machine that Terraform does not find any more and makes again (docs/runbooks/lost-server.md)."""
    machine = (resource["change"].get("before") or {}).get(ATTACHMENTS.get(resource["type"], ""))
    return machine is not None and machine not in machines


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What is at the path; None if the way there is not."""
    for part in path:
        try:
            value = value[part]
        except (IndexError, KeyError, TypeError):
            return None
    return value


def _of_no_weight(kind: str, before: dict[str, Any]) -> bool:
    """A jump host holds nothing, and the records that prove a domain to the certificate authority are known to nobody; hosts have
    an A record, and zones below another an NS."""
    if kind == "aws_instance":
        return "vet:slot" not in (before.get("tags") or {})
    return kind == "aws_route53_record" and before.get("type") not in ("A", "NS")
