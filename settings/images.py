"""The images that charts bring, and the digests that they are pinned by (``settings/releases/images.yaml``).

What no public text shows has no digest, with who has it as the reason, and is told by ``make pins`` and at each deploy
(docs/decisions/0079-what-is-compared.md).
"""

from functools import cache
from typing import Any

from pydantic import Field

from settings import yaml_text
from settings.base import Section
from settings.release_sets import FOLDER

FILE = FOLDER / "images.yaml"
"""Where they are."""


class Image(Section):
    """One image of a chart."""

    image: str = Field(pattern=r"^[a-z0-9./-]+:[\w.-]+$")
    """Its repository and tag, as the chart has them."""

    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Of the list for all architectures; empty where no public text shows it."""

    value: str = Field(default="", pattern=r"^([A-Za-z]+\.)*(digest|tag)$|^$")
    """Key of the chart's values that takes the digest, or the tag with it; empty if the chart has it, or takes none."""


class ChartImages(Section):
    """The images of one version of a chart."""

    source: str
    """Where the digests were read, or who has those that are missing."""

    images: list[Image] = Field(min_length=1)
    """All of them."""


@cache
def known() -> dict[str, dict[str, ChartImages]]:
    """Everything that is written down, by release and version."""
    loaded = yaml_text.load(FILE.read_text(encoding="utf-8"))
    return {
        release: {version: ChartImages.model_validate(each) for version, each in versions.items()}
        for release, versions in loaded.items()
    }


def images(release: str, version: str | None) -> list[Image]:
    """The images of a release's chart; none of a chart that brings no image of its own, or of a version that nobody has listed."""
    pinned = known().get(release, {}).get(version or "")
    return pinned.images if pinned else []


def digest_values(release: str, version: str | None) -> dict[str, Any]:
    """Values that give a chart the digests of its images, as far as they are known."""
    values: dict[str, Any] = {}
    for each in images(release, version):
        if each.digest and each.value:
            *path, key = each.value.split(".")
            at = values
            for name in path:
                at = at.setdefault(name, {})
            at[key] = each.digest if key == "digest" else f"{each.image.rpartition(':')[2]}@{each.digest}"
    return values
