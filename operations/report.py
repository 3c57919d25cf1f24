"""``make report``: one page that explains the platform, and the pictures of ``docs/pictures``, all from the synthesised JSON.

The page needs no network and no script, and holds no date and no path of this machine: the same settings give the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console

import main
from operations import layers, pictures
from operations.cost import BANDS
from operations.document import Document
from operations.estimate import Estimate, Saving, can_stop, environment_estimate, savings
from operations.reach import Right, rights
from operations.terraform import STACKS
from operations.topology import Topology
from operations.workloads import Workload, workloads
from settings import Settings, load
from settings.environment import Environment
from settings.names import helm_stack, infrastructure_stack
from settings.prices import prices

PAGE = Path("report/index.html")
"""Where the page goes, relative to the repository; git does not keep it."""

PICTURES = Path("docs/pictures")
"""Pictures that documents show; git keeps them, and a test says when they are stale."""


@dataclass(frozen=True)
class Chapter:
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
        return BANDS.get(self.name)


def run() -> None:
    """Synthesise, write the page and the pictures, and say where they are."""
    settings = load()
    main.build_app(settings).synth()
    console = Console(highlight=False)
    chapters = read(settings)
    for path, text in drawings(chapters).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        console.print(f"  {path}")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(settings, chapters))
    console.print(f"  [bold]{PAGE}[/]: open it in a browser; it needs no network")


def read(settings: Settings, folder: Path = STACKS) -> list[Chapter]:
    """What the synthesised stacks say of every environment."""
    return [_chapter(environment, folder) for environment in settings.environments]


def drawings(chapters: list[Chapter]) -> Mapping[Path, str]:
    """Text of every picture by its path."""
    found = {PICTURES / "layers.svg": pictures.layers(layers.imports(), layers.PURPOSES)}
    for chapter in chapters:
        found[PICTURES / f"network-{chapter.name}.svg"] = pictures.network(chapter.topology)
        found[PICTURES / f"security-groups-{chapter.name}.svg"] = pictures.talk(chapter.topology)
        found[PICTURES / f"trust-{chapter.name}.svg"] = pictures.trust(chapter.topology, chapter.rights)
    return found


def page(settings: Settings, chapters: list[Chapter]) -> str:
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
        colours=pictures.COLOURS,
        comparison=comparison(chapters),
        domain=settings.project.domain,
        drawings={path.stem: Markup(text) for path, text in drawings(chapters).items()},
        prices=prices(),
    )


def comparison(chapters: list[Chapter]) -> list[tuple[str, list[str]]]:
    """Rows of the side by side table: what is compared, and each environment's value."""
    rows = {
        "zones": [", ".join(chapter.topology.zones) for chapter in chapters],
        "NAT gateways": [str(len(chapter.topology.items("nat"))) for chapter in chapters],
        "servers": [_machines(chapter, "aws_instance") for chapter in chapters],
        "servers run": [
            "the control plane only" if c.settings.servers.dedicated else "workloads too" for c in chapters
        ],
        "agents": [_agents(chapter) for chapter in chapters],
        "Rancher": [f"{chapter.settings.rancher.replicas} of it" for chapter in chapters],
        "application": [f"{chapter.settings.application.replicas} pods" for chapter in chapters],
        "database": [_database(chapter) for chapter in chapters],
        "addresses": [", ".join(chapter.settings.hosts.all) for chapter in chapters],
        "destroy": ["refused at plan" if chapter.settings.protect else "leaves nothing" for chapter in chapters],
        "resources in Terraform": [str(chapter.resources) for chapter in chapters],
        "a month": [f"{chapter.cost.total:.0f} USD" for chapter in chapters],
    }
    return list(rows.items())


def _chapter(environment: Environment, folder: Path) -> Chapter:
    document = Document.read(infrastructure_stack(environment.name), folder)
    helm = Document.read(helm_stack(environment.name), folder)
    cost = environment_estimate(environment, prices(), environment.cost, document)
    return Chapter(
        settings=environment,
        topology=Topology(document),
        rights=rights(document),
        workloads=workloads(helm, dedicated=environment.servers.dedicated),
        cost=cost,
        savings=savings(cost, environment.cost, can_stop=can_stop(environment)),
        resources=len(list(document.everything())) + len(list(helm.everything())),
    )


def _machines(chapter: Chapter, type_: str) -> str:
    found = [each for each in chapter.topology.document.all(type_) if each.path.startswith("servers/")]
    return f"{len(found)} × {found[0].get('instance_type')}"


def _agents(chapter: Chapter) -> str:
    agents = chapter.settings.agents
    return f"{agents.count} × {agents.instance_type}, up to {agents.maximum}"


def _database(chapter: Chapter) -> str:
    application = chapter.settings.application
    count = application.database_instances
    return f"{count} PostgreSQL {'instance' if count == 1 else 'instances'} of {application.volume}"
