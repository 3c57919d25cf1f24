"""What machines an instance or an auto-scaling group of a synthesised stack stands for."""

from operations.shared.stack_json import Document, Resource


def launch_template(document: Document, group: Resource) -> Resource:
    """The template from which an auto-scaling group starts its instances."""
    policy = group.get("mixed_instances_policy")
    if policy is None:
        return document.follow(group.get("launch_template")["id"])
    specification = policy["launch_template"]["launch_template_specification"]
    return document.follow(specification["launch_template_id"])


def instance_type(document: Document, group: Resource) -> str:
    """The type of a group's instances; the first one where the group may choose."""
    policy = group.get("mixed_instances_policy") or {}
    overrides = policy.get("launch_template", {}).get("override") or [{}]
    kind: str = launch_template(document, group).get("instance_type") or overrides[0]["instance_type"]
    return kind


def is_spot(document: Document, resource: Resource) -> bool:
    """Whether AWS may take the instances back."""
    if resource.type != "aws_autoscaling_group":
        return bool(resource.get("instance_market_options"))
    policy = resource.get("mixed_instances_policy")
    if policy:
        share = policy.get("instances_distribution", {}).get("on_demand_percentage_above_base_capacity", 100)
        return int(share) == 0
    return bool(launch_template(document, resource).get("instance_market_options"))
