"""Dictionaries become typed blocks at every depth, and a name that the provider does not have is an error."""

import pytest
from cdktf_cdktf_provider_kubernetes.deployment_v1 import (
    DeploymentV1Spec,
    DeploymentV1SpecTemplateSpecContainer,
    DeploymentV1SpecTemplateSpecContainerPort,
)

from modules.terraform_blocks import typed_block

POD = {"container": [{"name": "one", "port": [{"container_port": 80}]}], "node_selector": {"kubernetes.io/os": "linux"}}


def spec(pod: dict) -> DeploymentV1Spec:
    return typed_block(
        DeploymentV1Spec, {"replicas": "1", "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}
    )


def test_blocks_in_lists_are_typed_too() -> None:
    block = spec(POD)
    (container,) = block.template.spec.container
    assert isinstance(container, DeploymentV1SpecTemplateSpecContainer)
    (port,) = container.port
    assert isinstance(port, DeploymentV1SpecTemplateSpecContainerPort)
    assert port.container_port == 80


def test_maps_of_names_stay_as_they_are() -> None:
    block = spec(POD)
    assert block.template.metadata.labels == {"a": "b"}
    assert block.template.spec.node_selector == POD["node_selector"]


@pytest.mark.parametrize("depth", ["deployment", "pod", "container", "port"])
def test_an_unknown_name_is_refused_at_every_depth(depth: str) -> None:
    port = {"container_port": 80, **({"containerPort": 80} if depth == "port" else {})}
    container = {"name": "one", "port": [port], **({"ports": []} if depth == "container" else {})}
    pod = {"container": [container], **({"containers": []} if depth == "pod" else {})}
    arguments = {"template": {"metadata": {}, "spec": pod}, **({"scale": 1} if depth == "deployment" else {})}
    with pytest.raises(TypeError, match=r"has no (scale|containers|ports|containerPort); it has "):
        typed_block(DeploymentV1Spec, arguments)
