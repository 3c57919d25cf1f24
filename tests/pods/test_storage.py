"""Volumes of the stack's storage class: claimed, moved with their pod, and grown while in use."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from settings.web_identity import DATABASE
from tests.pods.conftest import NAMESPACE, Platform, timed
from tests.pods.probe import probe

CLAIM = "probe"


@pytest.fixture
def storage_class(platform: Platform) -> str:
    """The class of the database's volumes."""
    claims = json.loads(platform.kubectl("get", "pvc", "--selector", f"cnpg.io/cluster={DATABASE}", "--output=json"))
    name: str = claims["items"][0]["spec"]["storageClassName"]
    return name


@pytest.fixture
def claim(platform: Platform, storage_class: str) -> Iterator[Mapping[str, Any]]:
    """A claim of one gibibyte, and the change of a pod that mounts it."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    manifest = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": spec}
    platform.kubectl.apply(manifest)
    yield {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM}}],
        "container": {"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
    }
    platform.kubectl("delete", "pvc", CLAIM, "--timeout=120s")


def python(platform: Platform, pod: str, code: str) -> str:
    """What a line of Python prints in the pod."""
    return platform.kubectl("exec", pod, "--", "python", "-c", code).strip()


def test_a_volume_s_data_moves_with_its_pod(
    platform: Platform, claim: Mapping[str, Any], seconds: dict[str, float]
) -> None:
    with timed(seconds, "claimed and mounted"), probe(platform, "storage", NAMESPACE, changes=claim) as first:
        python(platform, first.end.name, "open('/data/kept', 'w').write('here')")
    with timed(seconds, "mounted by another pod"), probe(platform, "storage", NAMESPACE, changes=claim) as second:
        assert python(platform, second.end.name, "print(open('/data/kept').read())") == "here"


def test_a_volume_grows_while_it_is_used(
    platform: Platform, claim: Mapping[str, Any], storage_class: str, seconds: dict[str, float]
) -> None:
    content = json.loads(platform.kubectl("get", "storageclass", storage_class, "--output=json"))
    assert content.get("allowVolumeExpansion"), f"the class {storage_class} lets no volume grow"
    if not platform.ends_well("get", "csidriver", content["provisioner"]):
        pytest.skip(f"no CSI driver {content['provisioner']} is there to grow volumes: take a cluster on AWS")
    with probe(platform, "storage", NAMESPACE, changes=claim), timed(seconds, "grown"):
        change = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
        platform.kubectl("patch", "pvc", CLAIM, "--patch", json.dumps(change))
        platform.kubectl("wait", "pvc", CLAIM, "--for=jsonpath={.status.capacity.storage}=2Gi", "--timeout=300s")
