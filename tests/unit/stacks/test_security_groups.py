"""Who may talk to whom: every rule, compared as a whole."""

from tests.template import Block, Template

Rule = tuple[str, str, str]
"""From, to, ports."""


def ingress_rules(template: Template) -> set[Rule]:
    """Rules as (source, group, port), groups by their names."""
    names = {
        f"${{{template.reference_to('aws_security_group', path)}.id}}": path.split("/")[-1]
        for path in template.resources("aws_security_group")
    }

    def ports(rule: Block) -> str:
        return "all" if rule["ip_protocol"] == "-1" else f"{rule['ip_protocol']}/{rule['from_port']}"

    return {
        (
            rule.get("cidr_ipv4") or names[rule["referenced_security_group_id"]],
            names[rule["security_group_id"]],
            ports(rule),
        )
        for rule in template.resources("aws_vpc_security_group_ingress_rule").values()
    }


def test_exactly_these_connections_are_allowed(infrastructure: Template) -> None:
    assert ingress_rules(infrastructure) == {
        ("0.0.0.0/0", "ingress", "tcp/80"),
        ("0.0.0.0/0", "ingress", "tcp/443"),
        ("ingress", "nodes", "tcp/80"),
        ("ingress", "nodes", "tcp/443"),
        ("api", "nodes", "tcp/6443"),
        ("api", "nodes", "tcp/9345"),
        ("nodes", "api", "tcp/6443"),
        ("nodes", "api", "tcp/9345"),
        ("operators", "api", "tcp/6443"),
        ("operators", "nodes", "tcp/22"),
        ("nodes", "nodes", "all"),
    }


def test_the_load_balancer_reaches_the_nodes_and_nothing_else(infrastructure: Template) -> None:
    ingress = infrastructure.reference_to("aws_security_group", "security_groups/ingress")
    nodes = infrastructure.reference_to("aws_security_group", "security_groups/nodes")
    leaving = [
        rule
        for rule in infrastructure.resources("aws_vpc_security_group_egress_rule").values()
        if rule["security_group_id"] == f"${{{ingress}.id}}"
    ]
    assert [rule.get("referenced_security_group_id") for rule in leaving] == [f"${{{nodes}.id}}"]


def test_nodes_reach_everything(infrastructure: Template) -> None:
    rule = infrastructure.one("aws_vpc_security_group_egress_rule", "security_groups/nodes/all_to_anywhere")
    assert (rule["ip_protocol"], rule["cidr_ipv4"]) == ("-1", "0.0.0.0/0")


def test_exactly_one_group_carries_the_cluster_tag(infrastructure: Template) -> None:
    """With two the AWS cloud controller gives up."""
    tag = f"kubernetes.io/cluster/{infrastructure.name}"
    tagged = [path for path, block in infrastructure.resources("aws_security_group").items() if tag in block["tags"]]
    assert tagged == ["security_groups/nodes"]
