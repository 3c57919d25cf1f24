"""Every object is one that each Kubernetes of the catalogue knows, with its keys and types: none is removed on the way between them."""

import kubernetes_validate
import pytest

from settings.release_sets import releases_of
from tests.template import Template
from tests.unit.platform.manifests import KINDS, manifest

MINORS = [f"{release.program.major}.{release.program.minor}" for release in releases_of("rke2")]


@pytest.mark.parametrize("minor", MINORS)
def test_objects_fit_every_kubernetes_of_the_catalogue(with_email: Template, minor: str) -> None:
    seen = set()
    for type_, path, block in with_email.every_resource():
        content = manifest(type_, block, minor)
        try:
            kubernetes_validate.validate(content, minor, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{path} in Kubernetes {minor}: {'.'.join(map(str, error.path))}: {error.message}")
        seen.add(type_)
    assert seen == set(KINDS) - {"kubernetes_namespace_v1", "kubernetes_limit_range_v1"}, "an object is missing"


def test_a_key_that_kubernetes_does_not_have_is_found(dev: Template) -> None:
    block = dev.one("kubernetes_service_v1")
    with pytest.raises(AssertionError, match=r"kubernetes_service_v1\.spec: Kubernetes 1.26 has no session_stickiness"):
        manifest("kubernetes_service_v1", {**block, "spec": {**block["spec"], "session_stickiness": True}}, "1.26")


def test_a_wrong_type_is_found(dev: Template) -> None:
    content = manifest("kubernetes_service_v1", dev.one("kubernetes_service_v1"), "1.26")
    content["spec"]["ports"][0]["port"] = "eighty"
    with pytest.raises(kubernetes_validate.ValidationError, match="'eighty' is not of type 'integer'"):
        kubernetes_validate.validate(content, "1.26", strict=True)
