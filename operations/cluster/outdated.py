"""``vet cluster servers roll --dry-run`` and ``vet cluster agents roll --dry-run``: what a roll would replace, and why. Nothing is changed, and no lock is held."""

import main
from operations.cluster.roll_agents import AgentReplacement
from operations.cluster.server_differences import differences, wanted_servers
from operations.shared.console import terminal, waiting
from operations.shared.errors import refuse_placeholders
from operations.shared.servers import Cluster
from operations.shared.stack_json import Document
from settings import load
from settings.names import infrastructure_stack

console = terminal()


def show_servers(name: str) -> None:
    """Show which servers a roll would replace, the highest slot first.

    Raises:
        Failure: there is no such environment, or AWS cannot be asked.
    """
    settings = load()
    refuse_placeholders(settings)
    cluster = Cluster(name)
    main.build_app(settings).synth()
    wanted = wanted_servers(Document.read(infrastructure_stack(name)))
    with waiting(console, f"comparing the servers of {cluster.names.base}"):
        servers = {server.slot: server for server in cluster.servers()}
        reasons = {
            slot: differences(cluster, servers[slot], wanted[slot]) if slot in servers else ["it has no machine"]
            for slot in sorted(wanted, reverse=True)
        }
    for slot, why in reasons.items():
        console.print(f"server {slot}: {'would be replaced: ' + ', '.join(why) if why else 'stays as it is'}")


def show_agents(name: str) -> None:
    """Show how many agents of each group a roll would replace.

    Raises:
        Failure: there is no such environment, or AWS cannot be asked.
    """
    refuse_placeholders(load())
    for group in AgentReplacement(Cluster(name)).groups():
        console.print(f"{group.name}: {group.outdated} of {group.agents} agent(s) would be replaced")
