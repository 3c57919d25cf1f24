"""People who are who they are in AWS: what the API server is told, and that names and groups mean the same everywhere."""

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from nodes import authentication
from nodes.boot import agent_user_data, server_user_data
from nodes.inputs import ClusterInputs
from nodes.release import node_release
from nodes.rke2 import server_config
from settings.access import Access, Principals
from settings.principals import PREFIX, by_role, groups
from settings.release_sets import catalogue, release_set
from tests.changes import ISSUER

ROLE = "arn:aws:iam::123456789012:role/platform-team"
SSO = (
    "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_clinic_0123456789abcdef"
)


def on(inputs: ClusterInputs, version: str) -> ClusterInputs:
    """The inputs with an issuer, for another RKE2."""
    release = node_release(release_set("documented").override({"rke2": version}))
    return replace(inputs, release=release, identity_issuer=ISSUER)


def arguments(inputs: ClusterInputs) -> dict[str, str]:
    """The API server's arguments."""
    return dict(each.split("=", 1) for each in yaml.safe_load(server_config(inputs))["kube-apiserver-arg"])


def written(inputs: ClusterInputs) -> dict[str, dict[str, Any]]:
    """The files of a server."""
    text = server_user_data(inputs, slot=0, data_volume_id="vol-0123456789abcdef0")
    return {file["path"]: file for file in yaml.safe_load(text)["write_files"]}


def test_nobody_but_the_clusters_own_accounts_is_known_without_an_issuer(inputs: ClusterInputs) -> None:
    assert not [name for name in arguments(inputs) if name.startswith(("oidc", "authentication"))]
    assert authentication.FILE not in written(inputs)


@pytest.mark.parametrize("version", catalogue()["rke2"].releases)
def test_every_kubernetes_knows_people_by_one_way(version: str, inputs: ClusterInputs) -> None:
    """The API server refuses to start with flags and file together, and before 1.30 with the file."""
    given, files = arguments(on(inputs, version)), written(on(inputs, version))
    minor = int(version.split(".")[1])
    if minor < 30:
        assert given["oidc-issuer-url"] == ISSUER
        assert given["oidc-client-id"] == authentication.audience(inputs.cluster)
        assert given["oidc-username-claim"] == given["oidc-groups-claim"] == "sub"
        assert given["oidc-username-prefix"] == given["oidc-groups-prefix"] == PREFIX, "else somebody may be system:..."
        assert authentication.FILE not in files
        return
    assert not [name for name in given if name.startswith("oidc")]
    file = files[given["authentication-config"]]
    assert file["permissions"] == "0600"
    document = yaml.safe_load(file["content"])
    assert document["apiVersion"].endswith("/v1") == (minor >= 34), document["apiVersion"]
    (known,) = document["jwt"]
    assert known["issuer"] == {"url": ISSUER, "audiences": [authentication.audience(inputs.cluster)]}
    assert known["claimMappings"]["groups"]["expression"] == f'["{PREFIX}" + claims.sub]'
    assert known["claimMappings"]["username"]["expression"].startswith(f'"{PREFIX}" + claims.sub')


AWS_S = "https://sts.amazonaws.com/"
"""Where a token has what AWS alone says (IAM user guide: understanding token claims)."""


@pytest.mark.parametrize(
    ("claims", "wanted"),
    [
        ({"sub": ROLE}, f"aws:{ROLE}"),
        ({"sub": ROLE, AWS_S: {"aws_account": "123456789012"}}, f"aws:{ROLE}"),
        ({"sub": SSO, AWS_S: {"identity_store_user_id": "94482488-3041"}}, f"aws:{SSO}/94482488-3041"),
    ],
)
def test_the_name_has_the_person_of_identity_center_where_a_token_says_so(
    claims: dict[str, Any], wanted: str, inputs: ClusterInputs
) -> None:
    document = authentication.configuration(on(inputs, "v1.35.7+rke2r1"))
    assert document is not None
    mapped = document["jwt"][0]["claimMappings"]
    assert read(mapped["username"]["expression"], claims) == wanted
    assert read(mapped["groups"]["expression"], claims) == [f"aws:{claims['sub']}"], (
        "rights go by the role, not by the person who has it"
    )


def read(expression: str, claims: dict[str, Any]) -> Any:
    """As CEL reads it (google/cel-spec, Language definition): these expressions are Python's but for three forms."""
    python = re.sub(r"\((.+) \? (.+) : (.+)\)$", r"((\2) if (\1) else (\3))", expression)
    python = python.replace("&&", "and").replace("claims.sub", 'claims["sub"]')
    return eval(python, {"claims": claims, "string": str})


def test_tokens_of_one_cluster_are_nothing_to_another(inputs: ClusterInputs) -> None:
    assert authentication.audience("vet-dev") != authentication.audience("vet-prod")


def test_the_issuer_is_no_business_of_agents(inputs: ClusterInputs) -> None:
    assert ISSUER not in agent_user_data(on(inputs, "v1.35.7+rke2r1"))


def test_a_role_is_bound_with_its_path_and_without() -> None:
    """AWS does not say which of the two a token has."""
    assert groups([SSO]) == [
        "aws:arn:aws:iam::123456789012:role/AWSReservedSSO_clinic_0123456789abcdef",
        f"aws:{SSO}",
    ]
    assert groups([ROLE, ROLE]) == [f"aws:{ROLE}"]


def test_an_administrator_is_not_held_to_what_deploy_may() -> None:
    """The policy that keeps `deploy` to images looks at groups, and an administrator may be in both lists."""
    principals = Principals(admin=[ROLE], deploy=[ROLE, SSO], read=[ROLE])
    rights = by_role(Access(principals=principals))
    assert rights["admin"] == groups([ROLE]) == rights["read"]
    assert rights["deploy"] == groups([SSO])
