"""``make pins [FILL=yes]``: what is compared with a checksum before it is used, what is not, and how to pin it.

Values that nobody has seen in a second place stay empty, and are told at each deploy (docs/decisions/0079-what-is-compared.md).
"""

from collections.abc import Iterator

from nodes.release import node_release
from operations.shared import provider_lock
from operations.shared.stack_json import Document
from operations.shared.terraform import binary, engine_of
from operations.supply_chain import charts, node_checksums
from settings import Settings, load
from settings.environment import Environment
from settings.images import images, known
from settings.names import helm_stack, infrastructure_stack
from settings.release_sets import ComponentRelease

WHOLE = "everything that is fetched is compared with a checksum"


def believed(environment: Environment) -> Iterator[str]:
    """What an environment takes from elsewhere and has no checksum here, which was seen in a second place."""
    releases = environment.cluster.releases
    yield from node_checksums.unknown(node_release(releases))
    for key in releases.pins:
        release = releases[key]
        if release.has_chart and not (release.info.digest and release.info.digest.sha256):
            yield f"chart {charts.archive_name(release)}"
        yield from _images(release)


def _images(release: ComponentRelease) -> Iterator[str]:
    """Images that are taken by their tag alone; those of a chart in one line, each is in ``settings/releases/images.yaml``."""
    if release.component.image and "@" not in release.tag:
        yield f"image {release.image}"
    if release.has_chart:
        listed = images(release.key, release.version)
        if any(not each.digest for each in listed) or (not listed and release.key in known()):
            yield f"images of {release.label}"


def run(*, fill: bool = False) -> None:
    """Show what is believed, after writing down what can be had.

    Raises:
        Failure: a source does not answer, or says something else than what is written down.
    """
    settings = load()
    if fill:
        for what in [*provider_lock.fill(_providers(settings), binary()), *node_checksums.fill()]:
            print(f"written down: {what}")
    known = provider_lock.blocks(provider_lock.FILE.read_text(encoding="utf-8"))
    lines = [f"provider {each}" for each in provider_lock.missing(_providers(settings), known)]
    lines += dict.fromkeys(each for environment in settings.environments for each in believed(environment))
    print("\n".join(["no checksum is known of:", *(f"  {line}" for line in lines)] if lines else [WHOLE]))


def _providers(settings: Settings) -> dict[str, str]:
    """Providers of the synthesised stacks, with their exact versions."""
    import main

    main.build_app(settings).synth()
    names = [each.name for each in settings.environments]
    stacks = [stack(name) for name in names for stack in (infrastructure_stack, helm_stack)]
    registry, found = engine_of(binary()).registry, dict[str, str]()
    for stack in stacks:
        found |= provider_lock.wanted(Document.read(stack).content, registry)
    return found
