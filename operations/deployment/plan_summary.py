"""What a plan does, in the terms of the settings; and the refusal of one that destroys what holds data or serves people.

Terraform's plan in JSON has the settings of the last apply beside those of this one (the stack's output ``settings``), so it says by
itself which were changed. What each may do is declared in ``settings/effects.py``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from operations.shared.errors import Failure
from settings.effects import HOW, effect
from settings.remembered import changed

Plan = dict[str, Any]
"""Terraform's JSON of a plan (Terraform: JSON Output Format, plan representation)."""

PRECIOUS = {
    "aws_ebs_volume": "a data volume",
    "aws_ecr_repository": "the images",
    "aws_eip": "an address that others may know",
    "aws_iam_openid_connect_provider": "the trust in the cluster's pods",
    "aws_instance": "a server",
    "aws_kms_key": "a key, and with it all that it encrypts",
    "aws_lb": "an address that people know",
    "aws_network_interface": "a server's address",
    "aws_route53_record": "a name that people know",
    "aws_route53_zone": "a zone",
    "aws_s3_bucket": "a bucket",
    "aws_secretsmanager_secret": "a secret",
    "aws_ssm_parameter": "what the cluster has published",
    "aws_subnet": "a subnet",
    "aws_vpc": "the network",
    "helm_release": "a release and its objects",
    "kubernetes_namespace_v1": "a namespace and all that is in it",
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
    '  make deploy ENV=... LOSE="ADDRESS ..."'
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


def settings_changed(plan: Plan) -> list[str] | None:
    """Keys of the settings that differ from the last apply's; ``None`` where that is not known: at a first apply, and at the
    first one of this version."""
    output = plan.get("output_changes", {}).get("settings", {})
    before, after = output.get("before"), output.get("after")
    return changed(before, after) if isinstance(before, dict) and isinstance(after, dict) else None


def losses(plan: Plan) -> list[Loss]:
    """What the plan takes away of what is precious."""
    return [loss for resource in plan.get("resource_changes", []) for loss in _losses(resource)]


def refuse_losses(plan: Plan, *, accepted: str = "") -> None:
    """Stop at a plan that destroys what no changed setting is declared to destroy.

    :param accepted: addresses that the person has named, separated by spaces.

    Raises:
        Failure: naming each loss, the settings that were changed and what is declared of them.
    """
    keys = settings_changed(plan) or []
    if ELSEWHERE in keys and ELSEWHERE not in accepted.split():
        raise Failure(
            f"this plan is refused: {ELSEWHERE} is {effect(ELSEWHERE)}. Everything would be made a second time, and what runs would be forgotten.\n"
            "Nothing was changed. If the old region is lost: docs/runbooks/lost-region.md"
        )
    allowed = [pattern for key in keys for pattern in effect(key).loses]
    refused = [
        loss
        for loss in losses(plan)
        if loss.address not in accepted.split()
        and (loss.impossible or not any(fnmatchcase(loss.address, pattern) for pattern in allowed))
    ]
    if not refused:
        return
    changes = "".join(f"\n  {key}: {effect(key)}" for key in keys) or " nothing that is known"
    raise Failure(
        "this plan is refused. It would\n  "
        + "\n  ".join(map(str, refused))
        + f"\nand no changed setting is declared to do that. Changed since the last apply:{changes}\n{WAY}"
    )


def summary(stack: str, plan: Plan) -> list[str]:
    """What the plan does, in a few lines: the changed settings with what each takes, then the count of resources."""
    keys, counts = settings_changed(plan), _counts(plan)
    if keys is None and counts and set(counts) == {"create"}:
        return [f"{stack} is new: {counts['create']} to create"]
    lines = [f"{key}: {effect(key)}" for key in keys or []] + [str(loss) for loss in losses(plan)]
    totals = ", ".join(f"{count} to {verb}" for verb, count in counts.items())
    return [f"{stack}: {totals or 'no resource changes'}", *(f"  {line}" for line in lines)]


def waiting(plan: Plan) -> list[str]:
    """Commands that bring what an apply of this plan leaves to them."""
    kinds = {kind for key in settings_changed(plan) or [] for kind in effect(key).kinds}
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


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What is at the path; None if the way there is not."""
    for part in path:
        try:
            value = value[part]
        except (IndexError, KeyError, TypeError):
            return None
    return value


def _of_no_weight(kind: str, before: dict[str, Any]) -> bool:
    """A jump host holds nothing, and the records that prove a domain to the certificate authority are known to nobody."""
    if kind == "aws_instance":
        return "vet:slot" not in (before.get("tags") or {})
    return kind == "aws_route53_record" and before.get("type") != "A"
