"""What stacks publish: a short list of names, each with one type that others may rely on, and nothing secret."""

from collections.abc import Mapping

import pytest

from tests.template import Template

TEXT, TEXTS, TEXT_BY_KEY = "text", "list of texts", "text by key"

STATE = {"state_bucket": TEXT, "name_servers": TEXTS, "settings": TEXT_BY_KEY}

ENVIRONMENT = {
    "api_address": TEXT,
    "api_host": TEXT,
    "cluster_ca_parameter": TEXT,
    "credentials_prefix": TEXT,
    "database_bucket": TEXT,
    "image_repository_name": TEXT,
    "image_repository_url": TEXT,
    "ingress_host": TEXT,
    "kubernetes_version": TEXT,
    "name_servers": TEXTS,
    "pod_role_arns": TEXT_BY_KEY,
    "server_instance_ids": TEXT_BY_KEY,
    "settings": TEXT_BY_KEY,
    "volumes_key_arn": TEXT,
    "zone_id": TEXT,
}

LISTS = ("name_servers",)
"""Attributes of the AWS provider that are lists; every other attribute that an output refers to is a text."""


def type_of(value: object) -> str:
    """Type of an output's value: its JSON's, and for a reference that of the attribute."""
    if isinstance(value, dict) and all(type_of(each) == TEXT for each in value.values()):
        return TEXT_BY_KEY
    assert isinstance(value, str), f"no type for {value!r}"
    whole = value.startswith("${") and value.endswith("}")
    return TEXTS if whole and value.removesuffix("}").endswith(LISTS) else TEXT


@pytest.mark.parametrize(
    ("stack", "expected"), [("vet-state", STATE), ("vet-dev", ENVIRONMENT), ("vet-prod", ENVIRONMENT)]
)
def test_a_stack_publishes_these_names_with_these_types(
    templates: Mapping[str, Template], stack: str, expected: dict[str, str]
) -> None:
    outputs = {name: type_of(block["value"]) for name, block in templates[stack].document["output"].items()}
    assert outputs == expected, "others rely on names and types of outputs: change both sides, and this list, together"


def test_no_output_reads_what_may_be_secret(templates: Mapping[str, Template]) -> None:
    for name, template in templates.items():
        for output, block in template.document.get("output", {}).items():
            assert block["sensitive"] is False, f"{name}: {output} is sensitive, so it does not belong into outputs"
            value = str(block["value"])
            for attribute in ("secret_string", "secret_binary", "private_key", ".value}", "password", "user_data"):
                assert attribute not in value, f"{name}: {output} reads {attribute}: {value}"
