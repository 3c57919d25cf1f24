"""The platform's images: each is listed, and pinned by digest where one is known."""

import re
from collections.abc import Iterator

import pytest

from operations.supply_chain.pins import believed
from settings import load
from settings.helm_values import values
from settings.images import Image, digest_values, images, known
from settings.release_sets import SETS, release_set
from tests.unit.releases.samples import LOCAL, Manifest, Render, installed

DIGEST = r"@sha256:[0-9a-f]{64}"
REFERENCE = re.compile(rf"[a-z0-9.-]+(?:/[a-z0-9._-]+)+(?::[\w.-]+(?:{DIGEST})?|{DIGEST})")
"""A repository with a slash, and a tag or a digest or both: what containers have, and what controllers are told to start."""

BROUGHT_BY_THE_SET = "catalogue.yaml"
"""Where images are whose version is a pin of its own."""


def _images_in(manifests: list[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        for place, text in _texts(manifest):
            if "image" in place.lower():
                yield from REFERENCE.findall(text)


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        named = str(value.get("name", ""))  # an environment variable's value stands beside its name
        for key, each in value.items():
            yield from _texts(each, named if key == "value" else key)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, place if not isinstance(each, str) else f"{place} {each.partition('=')[0]}")
    elif isinstance(value, str):
        yield place, value


def _listed(set_name: str) -> dict[str, str]:
    """Every image that a set may bring, with the digest that is known."""
    releases = release_set(set_name)
    digests = {each.image: each.digest for key, version in releases.pins.items() for each in images(key, version)}
    for key in releases.pins:
        if releases[key].component.image:
            reference, _, digest = releases[key].image.partition("@")
            digests[reference] = digest
    return digests


@pytest.mark.parametrize("set_name", SETS)
def test_every_chart_of_a_set_has_its_images_listed_or_takes_one_of_the_set(set_name: str) -> None:
    releases = release_set(set_name)
    for release in installed(set_name):
        own = f"{release}-image" in releases
        assert bool(images(release, releases.pins[release])) is not own, f"{release} {releases.pins[release]}"


def test_what_is_listed_is_of_a_release_that_is_known_and_each_once() -> None:
    for release, versions in known().items():
        for version, each in versions.items():
            names = [image.image for image in each.images]
            assert len(names) == len(set(names)), f"{release} {version}: {names}"
            assert each.source
            keys = [image.value for image in each.images if image.value]
            assert len(keys) == len(set(keys)), f"{release} {version}: two images in one value: {keys}"


def test_digests_come_into_values_as_the_chart_takes_them() -> None:
    (one, *_), two = images("cert-manager", "v1.21.1"), images("plugin-barman-cloud", "0.7.0")[1]
    assert values("cert-manager", "current")["image"]["digest"] == one.digest
    assert values("plugin-barman-cloud", "current")["sidecarImage"]["tag"] == f"v0.13.0@{two.digest}"
    assert digest_values("cert-manager", "v1.16.5") == {}, "what is not known is not said"
    assert digest_values("ingress-nginx", "4.11.8") == {}, "the chart has them itself"


@pytest.mark.parametrize("wrong", [{"digest": "sha256:12"}, {"image": "no-tag"}, {"value": "image.repository"}])
def test_a_wrong_line_is_refused(wrong: dict[str, str]) -> None:
    right = {"image": "quay.io/a/b:v1", "digest": f"sha256:{'0' * 64}", "value": "image.digest"}
    Image.model_validate(right)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Image.model_validate(right | wrong)


@pytest.mark.parametrize("set_name", SETS)
def test_what_charts_bring_is_listed_and_pinned_where_a_digest_is_known(set_name: str, render: Render) -> None:
    listed, seen = _listed(set_name), set[str]()
    for release in [*installed(set_name), *LOCAL]:
        for reference in set(_images_in(render(release, set_name, "prod"))):
            tagged, _, digest = reference.partition("@")
            image = next((each for each in listed if tagged in (each, each.rpartition(":")[0])), None)
            assert image, f"{release} brings {reference}, which neither images.yaml nor {BROUGHT_BY_THE_SET} has"
            assert digest == listed[image], f"{release}: {reference}, and its digest is {listed[image] or 'unknown'}"
            seen.add(image)
    never = {each.image for key in installed(set_name) for each in images(key, release_set(set_name).pins[key])} - seen
    assert not never, f"in images.yaml, and no chart brings it: {never}"


def test_a_deploy_says_which_images_it_takes_by_their_tag() -> None:
    lines = list(believed(load().environment("prod")))
    assert "images of EBS CSI driver 1.44.0 (chart 2.44.0)" in lines
    assert not [line for line in lines if "cloud-controller-manager" in line], "its digest is known"
    assert not [line for line in lines if "ingress-nginx" in line], "its chart has the digests"
