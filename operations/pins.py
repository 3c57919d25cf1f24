"""``make pins [FILL=yes]``: what is compared with a checksum before it is used, what is believed, and how that is mended.

Values that nobody has seen in a second place stay empty, and are told at each deploy (docs/decisions/0079-what-is-compared.md).
"""

from collections.abc import Iterator

from nodes.release import node_release
from operations import charts, node_checksums, provider_lock
from operations.document import Document
from operations.terraform import binary, engine_of
from settings import Settings, load
from settings.environment import Environment
from settings.names import helm_stack, infrastructure_stack

WHOLE = "everything that is fetched is compared with a checksum"


def believed(environment: Environment) -> Iterator[str]:
    """What an environment takes from elsewhere and has no checksum here, which was seen in a second place."""
    releases = environment.cluster.releases
    yield from node_checksums.unknown(node_release(releases))
    for key in releases.pins:
        release = releases[key]
        if release.has_chart and not (release.facts.digest and release.facts.digest.sha256):
            yield f"chart {charts.archive_name(release)}"


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
