"""``make report``: one page that explains the platform, and the pictures of ``docs/pictures``, all from the synthesised JSON.

The page needs no network and no script, and holds no date and no path of this machine: the same settings give the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup

import main
from operations.report import diagrams, layers
from operations.report.cost import EXPECTED_RANGES
from operations.report.cost_estimate import Estimate, environment_estimate
from operations.report.reach import Right, rights
from operations.report.savings import Saving, can_stop, savings
from operations.report.topology import Topology
from operations.report.workloads import Workload, workloads
from operations.shared.console import terminal
from operations.shared.stack_json import Document
from operations.shared.terraform import STACKS
from settings import Settings, load
from settings.environment import Environment
from settings.names import helm_stack, infrastructure_stack
from settings.prices import prices

PAGE = Path("report/index.html")
"""Where the page goes, relative to the repository; git does not keep it."""

PICTURES = Path("docs/pictures")
"""Pictures that documents show; git keeps them, and a test says when they are stale."""


@dataclass(frozen=True)
class EnvironmentReport:
    """What the page says of one environment."""

    settings: Environment
    topology: Topology
    rights: list[Right]
    """What its nodes and pods may do in AWS."""

    workloads: list[Workload]
    cost: Estimate
    savings: list[Saving]
    resources: int
    """How many resources Terraform makes for it."""

    @property
    def name(self) -> str:
        """Name of the environment."""
        return self.settings.name

    @property
    def band(self) -> tuple[int, int] | None:
        """USD a month that the architecture expects."""
        return EXPECTED_RANGES.get(self.name)


def run() -> None:
    """Synthesise, write the page and the pictures, and say where they are."""
    settings = load()
    main.build_app(settings).synth()
    console = terminal()
    chapters = read(settings)
    for path, text in drawings(chapters).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        console.print(f"  {path}")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(settings, chapters))
    console.print(f"  [bold]{PAGE}[/]: open it in a browser; it needs no network")


def read(settings: Settings, folder: Path = STACKS) -> list[EnvironmentReport]:
    """What the synthesised stacks say of every environment."""
    return [_chapter(environment, folder) for environment in settings.environments]


def drawings(chapters: list[EnvironmentReport]) -> Mapping[Path, str]:
    """Text of every picture by its path."""
    pictures = {PICTURES / "layers.svg": diagrams.layers(layers.imports(), layers.PURPOSES)}
    for chapter in chapters:
        pictures[PICTURES / f"network-{chapter.name}.svg"] = diagrams.network(chapter.topology)
        pictures[PICTURES / f"security-groups-{chapter.name}.svg"] = diagrams.security_groups(chapter.topology)
        pictures[PICTURES / f"trust-{chapter.name}.svg"] = diagrams.trust(chapter.topology, chapter.rights)
    return pictures


def page(settings: Settings, chapters: list[EnvironmentReport]) -> str:
    """The page's HTML, with its pictures inside."""
    templates = Templates(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html").render(
        chapters=chapters,
        colours=diagrams.COLOURS,
        comparison=comparison(chapters),
        domain=settings.project.domain,
        drawings={path.stem: Markup(text) for path, text in drawings(chapters).items()},
        prices=prices(),
    )


def comparison(chapters: list[EnvironmentReport]) -> list[tuple[str, list[str]]]:
    """Rows of the side by side table: what is compared, and each environment's value."""
    rows = {
        "zones": [", ".join(chapter.topology.zones) for chapter in chapters],
        "NAT gateways": [str(len(chapter.topology.items("nat"))) for chapter in chapters],
        **_network(chapters),
        "servers": [_machines(chapter, "aws_instance") for chapter in chapters],
        "servers run": [
            "the control plane only" if c.settings.servers.dedicated else "workloads too" for c in chapters
        ],
        "agents": [_agents(chapter) for chapter in chapters],
        **({"pools": [_pools(c) for c in chapters]} if any(c.settings.pools for c in chapters) else {}),
        "Rancher": [f"{chapter.settings.rancher.replicas} of it" for chapter in chapters],
        "application": [f"{chapter.settings.application.replicas} pods" for chapter in chapters],
        "database": [_database(chapter) for chapter in chapters],
        "addresses": [", ".join(chapter.settings.hosts.all) for chapter in chapters],
        "destroy": [
            "refused at plan" if chapter.settings.deletion_protection else "leaves nothing" for chapter in chapters
        ],
        **guards(chapters),
        "resources in Terraform": [str(chapter.resources) for chapter in chapters],
        "a month": [f"{chapter.cost.total:.0f} USD" for chapter in chapters],
    }
    return list(rows.items())


def _network(chapters: list[EnvironmentReport]) -> dict[str, list[str]]:
    """Rows of what only some environments' networks have, where one of them has it."""
    every = [chapter.settings.network for chapter in chapters]
    rows = {
        "VPC": [each.existing.id if each.existing else "of its own" for each in every],
        "public addresses": ["none" if each.private_only else "load balancer and gateways" for each in every],
        "endpoints": [", ".join(each.endpoints) or "none" for each in every],
    }
    there = {
        "VPC": any(each.existing for each in every),
        "public addresses": any(each.private_only for each in every),
        "endpoints": any(each.endpoints for each in every),
    }
    return {what: row for what, row in rows.items() if there[what]}


OFF = "off"
"""What the page shows in red where an environment should have it, and in grey elsewhere."""


def guards(chapters: list[EnvironmentReport]) -> dict[str, list[str]]:
    """What watches an environment and leads back: on, or :data:`OFF`."""
    every = [chapter.settings for chapter in chapters]
    return {
        "metrics and alerts": [_on(each.services.monitoring.enabled) for each in every],
        "alarms by e-mail": [_on(each.alarms.enabled) for each in every],
        "dashboard in CloudWatch": [_on(each.dashboard.enabled) for each in every],
        "budget a month": [f"{each.budget.monthly_usd} USD" if each.budget.enabled else OFF for each in every],
        "snapshots of volumes": [_on(each.backups.volume_snapshots.enabled) for each in every],
        "copies in a second region": [each.backups.replica_region or OFF for each in every],
        "restarts for updates": [
            f"{each.patches.days} {each.patches.start} to {each.patches.end}" if each.patches else OFF for each in every
        ],
        "access logs": [_on(each.load_balancer.access_logs) for each in every],
        "logs of nodes kept elsewhere": [_on(each.node_logs.enabled) for each in every],
        "logs of pods kept elsewhere": [_on(each.services.logs.enabled) for each in every],
        "backups of objects": [_on(each.services.velero.enabled) for each in every],
        "records of connections": [_on(each.network.flow_logs) for each in every],
    }


def _on(enabled: bool) -> str:
    return "on" if enabled else OFF


def _chapter(environment: Environment, folder: Path) -> EnvironmentReport:
    document = Document.read(infrastructure_stack(environment.name), folder)
    helm = Document.read(helm_stack(environment.name), folder)
    cost = environment_estimate(environment, prices(), environment.cost, document)
    return EnvironmentReport(
        settings=environment,
        topology=Topology(document, environment),
        rights=rights(document),
        workloads=workloads(helm, dedicated=environment.servers.dedicated),
        cost=cost,
        savings=savings(cost, environment.cost, can_stop=can_stop(environment)),
        resources=len(list(document.everything())) + len(list(helm.everything())),
    )


def _machines(chapter: EnvironmentReport, type_: str) -> str:
    servers = [each for each in chapter.topology.document.all(type_) if each.path.startswith("servers/")]
    return f"{len(servers)} × {servers[0].get('instance_type')}"


def _agents(chapter: EnvironmentReport) -> str:
    agents = chapter.settings.agents
    return f"{agents.min_count} × {agents.instance_type}, up to {agents.max_count}"


def _pools(chapter: EnvironmentReport) -> str:
    lines = [
        f"{name}: {pool.min_count} × {' or '.join(pool.instance_types)}{', Spot' if pool.spot else ''}, up to {pool.max_count}"
        + "".join(f", {volume.gib} GiB at {volume.path}" for volume in pool.extra_volumes)
        for name, pool in chapter.settings.pools.items()
    ]
    return "; ".join(lines) or "none"


def _database(chapter: EnvironmentReport) -> str:
    application = chapter.settings.application
    count = application.database_instances
    return f"{count} PostgreSQL {'instance' if count == 1 else 'instances'} of {application.volume}"
