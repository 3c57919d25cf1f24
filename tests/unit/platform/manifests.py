"""Kubernetes manifests out of the blocks that Terraform's Kubernetes provider takes.

The provider writes ``volume_mount`` for ``volumeMounts``, a string for a number, and a list of one for an object. The schema
of the Kubernetes release says what each of them is there, so a key that Kubernetes does not have has no place to go.
"""

import json
from functools import cache
from typing import Any

import importlib_resources

from tests.template import Block

KINDS = {
    "kubernetes_config_map_v1": ("v1", "ConfigMap"),
    "kubernetes_cron_job_v1": ("batch/v1", "CronJob"),
    "kubernetes_deployment_v1": ("apps/v1", "Deployment"),
    "kubernetes_horizontal_pod_autoscaler_v2": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "kubernetes_ingress_v1": ("networking.k8s.io/v1", "Ingress"),
    "kubernetes_job_v1": ("batch/v1", "Job"),
    "kubernetes_limit_range_v1": ("v1", "LimitRange"),
    "kubernetes_namespace_v1": ("v1", "Namespace"),
    "kubernetes_network_policy_v1": ("networking.k8s.io/v1", "NetworkPolicy"),
    "kubernetes_pod_disruption_budget_v1": ("policy/v1", "PodDisruptionBudget"),
    "kubernetes_service_v1": ("v1", "Service"),
}
"""API version and kind by resource type."""

TERRAFORM_ONLY = ("//", "depends_on", "lifecycle", "timeouts", "wait_for_completion", "wait_for_rollout")

OTHERWISE = {"timezone": "timeZone", "policy": "policies"}
"""Names that differ by more than case and an ``s``."""


def manifest(type_: str, block: Block, minor: str) -> dict[str, Any]:
    """The manifest that a resource stands for in a cluster of that minor, such as ``1.26``."""
    version, kind = KINDS[type_]
    own = {key: value for key, value in block.items() if key not in TERRAFORM_ONLY}
    group = version.split("/")[0].split(".")[0] + "-" if "/" in version else ""
    schema = _read(f"{kind.lower()}-{group}{version.split('/')[-1]}.json", minor)
    return {"apiVersion": version, "kind": kind, **_object(own, schema, minor, type_)}


def _object(block: Block, schema: Block, minor: str, where: str) -> dict[str, Any]:
    if "properties" not in schema:  # labels and the like: their keys are names
        return block
    known = schema["properties"]
    fields = {}
    for key, value in block.items():
        name = next((name for name in _names(key) if name in known), None)
        assert name, f"{where}: Kubernetes {minor} has no {key}; it has {', '.join(known)}"
        fields[name] = _value(value, known[name], minor, f"{where}.{key}")
    return fields


def _names(key: str) -> list[str]:
    first, *rest = key.split("_")
    name = first + "".join(part.capitalize() for part in rest)
    return [name, f"{name}s", OTHERWISE.get(key, name)]


def _value(value: Any, schema: Block, minor: str, where: str) -> Any:
    if "$ref" in schema:
        schema = _read("_definitions.json", minor)["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    kinds = schema.get("type", [])
    if "array" in kinds:
        return [_value(item, schema["items"], minor, where) for item in value]
    if isinstance(value, list):
        assert len(value) == 1, f"{where}: Kubernetes has one of it, found {len(value)}"
        value = value[0]
    if isinstance(value, dict):
        return _object(value, schema, minor, where)
    if isinstance(value, str) and value.isdecimal() and ("integer" in kinds or _int_or_string(schema)):
        return int(value, 8 if where.endswith("mode") else 10)
    return value


def _int_or_string(schema: Block) -> bool:
    return {"string", "integer"} <= {kind for option in schema.get("oneOf", []) for kind in option["type"]}


@cache
def _read(file: str, minor: str) -> Block:
    folder = importlib_resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{minor}.0-local-strict"
    schema: Block = json.loads((folder / file).read_text())
    return schema
