"""Rules about servers, agents and their machines."""

from collections.abc import Iterator, Mapping

from settings.access import Access
from settings.instance_types import INSTANCE_TYPES, X86_64, is_graviton
from settings.nodes import AgentsSettings, Image, ServersSettings
from settings.pools import Pool
from settings.problems import Finding, Key
from settings.rules.registry import error
from settings.validation import suggestion


@error
def servers_odd(servers: ServersSettings) -> Iterator[Finding]:
    """An odd number of etcd members: one more than that tolerates no more failures, and is one more that can fail
    (etcd: FAQ)."""
    if servers.count % 2 == 0:
        lost = servers.count // 2 - 1 or "none"
        rule = (
            f"must be odd: etcd needs a majority, and {servers.count} servers survive the loss of {lost}, no more "
            f"than {servers.count - 1}"
        )
        yield Finding(("servers", "count"), rule, f"set {servers.count - 1} or {servers.count + 1}")


@error
def agents_within_maximum(agents: AgentsSettings) -> Iterator[Finding]:
    """A group that starts above its maximum is refused (Amazon EC2 Auto Scaling: capacity limits)."""
    if agents.max_count < agents.min_count:
        yield Finding(
            ("agents", "max_count"),
            f"must be agents.min_count = {agents.min_count} or more",
            f"set {agents.min_count} or more",
        )


@error
def dedicated_servers_need_agents(
    servers: ServersSettings, agents: AgentsSettings, pools: Mapping[str, Pool]
) -> Iterator[Finding]:
    """The application has no place to run if the servers turn it away and there is no agent."""
    open_to_all = agents.min_count + sum(pool.min_count for pool in pools.values() if pool.open_to_all)
    if servers.dedicated and open_to_all == 0:
        rule = "must be 1 or more when servers.dedicated is true: the application would have no place to run"
        yield Finding(("agents", "min_count"), rule, "add agents, or set servers.dedicated to false")


@error
def server_type_known(servers: ServersSettings) -> Iterator[Finding]:
    """A known x86-64 type (``settings/instance_types.py``)."""
    yield from _instance_type(("servers", "instance_type"), servers.instance_type)


@error
def agent_type_known(agents: AgentsSettings) -> Iterator[Finding]:
    """A known x86-64 type (``settings/instance_types.py``)."""
    yield from _instance_type(("agents", "instance_type"), agents.instance_type)


@error
def jump_host_type_known(access: Access) -> Iterator[Finding]:
    """A known x86-64 type (``settings/instance_types.py``)."""
    yield from _instance_type(("access", "ssh", "jump_host", "instance_type"), access.ssh.jump_host.instance_type)


def _instance_type(key: Key, name: str) -> Iterator[Finding]:
    if is_graviton(name):
        rule = "must be an x86-64 type: the image is built for x86-64, and this one is arm64 (Graviton)"
        yield Finding(key, rule, "choose a t3, t3a, m5, m6i, m7i, c5, c6i, r5 or r6i type; a pool may be arm64")
    elif name not in INSTANCE_TYPES:
        rule = "must be an instance type that settings/instance_types.py knows"
        fitting = [known for known, machine in INSTANCE_TYPES.items() if machine.architecture == X86_64]
        near = suggestion(name, fitting) if "." in name else ""
        yield Finding(key, rule, f"{near} (another family is added in that file)")


@error
def image_is_x86(image: Image) -> Iterator[Finding]:
    """The image fits the types of servers and agents, which are x86-64; arm64 pools take its namesake."""
    if "arm64" in image.name:
        yield Finding(
            ("image", "name"), "must be an image for x86-64: all instance types are", "write amd64 in place of arm64"
        )
