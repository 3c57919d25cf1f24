"""``cluster.hardening: cis``: what RKE2, the API server and the kubelet are told; docs/runbooks/cis-hardening.md says where each control is set."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nodes import audit_policy, hardening, rke2
from nodes.boot import agent_user_data, server_user_data
from nodes.inputs import ClusterInputs
from nodes.release import node_release
from settings.namespaces import EXEMPT
from settings.release_sets import catalogue, release_set
from settings.rke2_config_keys import Role, unknown_keys
from tests.changes import ISSUER

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/runbooks/cis-hardening.md"

LONGEST_USER_DATA = 16_384
"""EC2: bytes before they are encoded (Amazon EC2 User Guide, instance user data)."""

RKE2S_OWN = {"kube-system", "tigera-operator", "cis-operator-system", "compliance-operator-system"}
"""What RKE2 of one line or another exempts (pkg/rke2/psa.go)."""


@pytest.fixture
def hardened(inputs: ClusterInputs) -> ClusterInputs:
    """The nodes' inputs with the profile."""
    return replace(inputs, hardening="cis")


def files(user_data: str) -> dict[str, dict[str, Any]]:
    """What a machine finds at its first boot, by path."""
    return {file["path"]: file for file in yaml.safe_load(user_data)["write_files"]}


def server(inputs: ClusterInputs) -> dict[str, dict[str, Any]]:
    """The files of a server."""
    return files(server_user_data(inputs, slot=0, data_volume_id="vol-0123456789abcdef0"))


@pytest.mark.parametrize("version", catalogue()["rke2"].releases)
def test_rke2_of_every_line_knows_the_keys(version: str, hardened: ClusterInputs) -> None:
    release = node_release(release_set("documented").override({"rke2": version}))
    released = replace(hardened, release=release)
    texts: dict[Role, str] = {"server": rke2.server_config(released), "agent": rke2.agent_config(released)}
    for role, text in texts.items():
        config = yaml.safe_load(text)
        assert config["profile"] == "cis", f"{role} of {version}"
        assert config["protect-kernel-defaults"] is True, "RKE2 refuses the profile without it"
        assert unknown_keys(version, role, config) == []


def test_nothing_is_hardened_unless_asked_for(inputs: ClusterInputs) -> None:
    text = server_user_data(inputs, slot=0, data_volume_id="vol-0123456789abcdef0") + agent_user_data(inputs)
    for word in ("profile:", "pod-security", "podPidsLimit", "DenyServiceExternalIPs", "extend-token"):
        assert word not in text, word


def test_pods_are_restricted_but_where_it_is_said(hardened: ClusterInputs) -> None:
    written = server(hardened)
    config = yaml.safe_load(written["/etc/rancher/rke2/config.yaml.d/10-cluster.yaml"]["content"])
    file = written[config["pod-security-admission-config-file"]]
    assert file["permissions"] == "0600"
    (plugin,) = yaml.safe_load(file["content"])["plugins"]
    assert plugin["name"] == "PodSecurity"
    assert plugin["configuration"]["defaults"]["enforce"] == "restricted"
    exempt = set(plugin["configuration"]["exemptions"]["namespaces"])
    assert exempt == set(EXEMPT) >= RKE2S_OWN
    assert {"default", "kube-public", "kube-node-lease"} & exempt == set(), "people make pods there"


def test_an_agent_has_no_file_of_the_api_servers(hardened: ClusterInputs) -> None:
    assert hardening.POD_SECURITY_FILE not in files(agent_user_data(hardened))


def test_the_kubelets_own_file_is_roots_alone(hardened: ClusterInputs) -> None:
    for written in (server(hardened), files(agent_user_data(hardened))):
        file = written[rke2.KUBELET]
        assert file["permissions"] == "0600"
        assert yaml.safe_load(file["content"])["podPidsLimit"] == hardening.POD_PIDS


def test_the_api_server_is_told_what_the_benchmark_asks_for(hardened: ClusterInputs) -> None:
    arguments = dict(each.split("=", 1) for each in yaml.safe_load(rke2.server_config(hardened))["kube-apiserver-arg"])
    assert {"NodeRestriction", "DenyServiceExternalIPs"} <= set(arguments["enable-admission-plugins"].split(","))
    assert arguments["service-account-extend-token-expiration"] == "false"
    assert int(arguments["audit-log-maxage"]) >= 30
    assert int(arguments["audit-log-maxbackup"]) >= 10
    assert int(arguments["audit-log-maxsize"]) >= 100
    assert arguments["audit-log-path"] == audit_policy.LOG_FILE


def test_user_data_stays_small_enough(hardened: ClusterInputs) -> None:
    """With everything that an environment can have, and an API server that knows people by a file."""
    current = node_release(release_set("current"))
    long = replace(hardened, metrics_namespace="vet-prod-12345", identity_issuer=ISSUER, release=current)
    long = replace(long, server_addresses=" ".join(["10.100.100.100"] * 7))
    text = server_user_data(long, slot=0, data_volume_id="vol-0123456789abcdef0")
    assert len(text.encode()) < LONGEST_USER_DATA, len(text.encode())


def rows() -> list[tuple[str, str]]:
    """The controls of the page and where each is decided."""
    lines = re.findall(r"^\| (\d[\d., ]*?) \|[^|]*\| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [(control, where) for numbers, where in lines for control in numbers.split(", ")]


def test_each_control_stands_once_and_what_the_page_names_is_there() -> None:
    controls = [control for control, _ in rows()]
    assert len(controls) > 30, f"the table is read wrongly: {controls}"
    assert len(set(controls)) == len(controls), sorted(controls)
    for control, where in rows():
        for path in re.findall(r"`((?:nodes|settings|modules|helm-values)/[\w./-]+)`", where):
            assert (ROOT / path).exists(), f"{control}: {path}"


def test_every_exemption_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [name for name in EXEMPT if f"`{name}`" not in text]
