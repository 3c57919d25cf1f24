"""The ways out of the frame reach the stacks, and change nothing beside what they say."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import main
from operations.report.workloads import ADDED, workloads
from operations.shared.stack_json import Document
from settings import SettingsError, load
from settings.helm_values import FOLDER, merge, values
from settings.helm_values import known_keys as chart_keys
from settings.protected import ARGUMENTS, ATTRIBUTES, RKE2_KEYS, RKE2_PREFIXES, VALUES, leaves, protected
from settings.release_sets import release_set
from settings.rke2_config_keys import known_keys
from tests.changes import one_environment
from tests.everything import NAME, everything
from tests.template import Template
from tests.unit.stacks.conftest import read

Made = Mapping[str, Template]
Synthesise = Callable[..., Made]

KURED = {
    "chart": "kured",
    "repository": "https://kubereboot.github.io/charts",
    "version": "5.5.1",
    "namespace": "kured",
    "values": {"configuration": {"period": "1h", "note": "${not.terraform} %{nor}\nthis"}},
}
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"a": "${b}\nc\n"}}


@pytest.fixture(scope="module")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """The stacks of dev with further settings."""

    def stacks(**changes: Any) -> Made:
        folder = tmp_path_factory.mktemp("extras")
        main.build_app(load(one_environment(folder, changes)), outdir=str(folder / "cdktf.out")).synth()
        return read(folder / "cdktf.out")

    return stacks


def _values(template: Template, path: str) -> dict[str, Any]:
    """A release's values as Terraform hands them to Helm."""
    (text,) = template.one("helm_release", path)["values"]
    content: dict[str, Any] = json.loads(text.replace("$${", "${").replace("%%{", "%{"))
    return content


def test_values_are_laid_over_the_platform_s_own(synthesise: Synthesise, templates: Made) -> None:
    given = {"controller": {"resources": {"limits": {"memory": "1Gi"}}, "config": {"custom": "${host} %{x}\nnext"}}}
    own = _values(templates["vet-dev-helm"], "ingress/controller")
    changed = _values(synthesise(values={"ingress-nginx": given})["vet-dev-helm"], "ingress/controller")
    assert changed == merge(own, given)
    assert changed != own


def test_values_of_a_release_leave_the_others_alone(synthesise: Synthesise, templates: Made) -> None:
    template = synthesise(values={"rancher": {"resources": {"limits": {"memory": "4Gi"}}}})["vet-dev-helm"]
    releases, own = template.resources("helm_release"), templates["vet-dev-helm"].resources("helm_release")
    assert [path for path in own if releases[path] != own[path]] == ["rancher/rancher"]


def test_values_of_the_cloud_controller_reach_the_servers(synthesise: Synthesise) -> None:
    given = {"resources": {"limits": {"memory": "300Mi"}}}
    template = synthesise(values={"aws-cloud-controller-manager": given})["vet-dev"]
    data = yaml.safe_load(template.one("aws_instance", "servers/slot_0")["user_data"])
    (file,) = [each for each in data["write_files"] if each["path"].endswith("vet-cloud-controller.yaml")]
    values = yaml.safe_load(yaml.safe_load(file["content"])["spec"]["valuesContent"])
    assert values["resources"]["limits"]["memory"] == "300Mi"
    assert values["resources"]["limits"]["cpu"], "what was not said is gone"


@pytest.mark.parametrize("stack", ["vet-dev-helm", "vet-prod-helm"])
def test_what_comes_from_settings_and_aws_is_protected(stack: str, templates: Made) -> None:
    """Whatever the platform computes for a release (roles, hosts, networks), a team's values do not change."""
    checked, own = 0, load().environment(stack.split("-")[1]).values
    for release in templates[stack].resources("helm_release").values():
        name = release["name"]
        if not (FOLDER / f"{name}.yaml").exists():
            continue
        files = values(name, "documented", own.get(name, {}))
        given = json.loads(release["values"][0])
        for path in leaves(given):
            below: Any = files
            for part in path:
                below = below.get(part, "nothing") if isinstance(below, dict) else "nothing"
            if below != _at(given, path):
                checked += 1
                assert protected(VALUES.get(name, {}), ".".join(path)), f"{name}: {'.'.join(path)} is computed"
    assert checked > 20, f"hardly anything is computed: {checked}"


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        values = values[part]
    return values


def test_protected_keys_exist() -> None:
    """A reason for a key that no chart and no RKE2 knows protects nothing."""
    sets = [release_set(name) for name in ("documented", "current")]
    for release in VALUES.keys() & {key for each in sets for key in each.pins}:
        known = {
            key.removesuffix(".*") for each in sets if release in each for key in chart_keys(each[release])
        }  # a chart that another set has may know more
        for key in filter(None, VALUES[release]):
            there = any(each == key or each.startswith(f"{key}.") or key.startswith(f"{each}.") for each in known)
            assert there, f"{release} has no {key} in any set"
    known_to_rke2 = {key for name in ("documented", "current") for key in known_keys(release_set(name).rke2, "server")}
    assert RKE2_KEYS.keys() <= known_to_rke2 | {"write-kubeconfig-group"}
    assert all(any(key.startswith(start) for key in known_to_rke2) for start in RKE2_PREFIXES)
    assert protected(ATTRIBUTES, "lifecycle") is not None, "a block around a protected attribute is one as well"


def test_what_the_platform_writes_into_rke2_s_configuration_is_protected(tmp_path: Path) -> None:
    """With everything on: a team's value would take the place of a single one, and the API server takes the last of two equal arguments."""
    main.build_app(everything(tmp_path), outdir=str(tmp_path / "out")).synth()
    document = json.loads((tmp_path / "out/stacks" / f"vet-{NAME}" / "cdk.tf.json").read_text())
    user_data = next(
        each["user_data"] for name, each in document["resource"]["aws_instance"].items() if "slot_0" in name
    )
    files = {each["path"]: each["content"] for each in yaml.safe_load(user_data)["write_files"]}
    config = yaml.safe_load(files["/etc/rancher/rke2/config.yaml.d/10-cluster.yaml"])
    single = {key for key, value in config.items() if not isinstance(value, list)}
    open_to_change = {key for key in single if key not in RKE2_KEYS and not key.startswith(tuple(RKE2_PREFIXES))}
    assert not open_to_change, f"a team may write over {sorted(open_to_change)}"
    known = ARGUMENTS["kube-apiserver-arg"]
    unknown = [argument for argument in config["kube-apiserver-arg"] if not argument.startswith(tuple(known))]
    assert not unknown, f"a team may say {unknown} a second time"


def test_a_release_of_one_s_own_has_a_namespace_with_limits_and_is_reached_as_it_says(synthesise: Synthesise) -> None:
    extras = {"kured": {**KURED, "pod_security": "privileged", "reached_by": "ingress"}}
    template = synthesise(extra_releases=extras)["vet-dev-helm"]
    release = template.one("helm_release", "extra/release_kured")
    assert (release["chart"], release["repository"], release["version"]) == ("kured", KURED["repository"], "5.5.1")
    assert json.loads(release["values"][0].replace("$${", "${").replace("%%{", "%{")) == KURED["values"]
    namespace = template.one("kubernetes_namespace_v1", "namespaces/kured")["metadata"]
    namespace = namespace[0] if isinstance(namespace, list) else namespace
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert template.one("kubernetes_limit_range_v1", "namespaces/kured/limits")
    policy = template.one("kubernetes_network_policy_v1", "extra/policy_kured")["spec"]
    assert policy["policy_types"] == ["Ingress"]
    peers = policy["ingress"][0]["from"]
    assert {"pod_selector": {}} in peers
    assert len(peers) == 2
    assert "ingress-nginx" in json.dumps(peers)
    waits = " ".join(release["depends_on"])
    for part in (
        "namespaces_kured",
        "extra_policy_kured",
        "ingress_controller",
        "certificates_issuers",
        "storage_guard",
    ):
        assert part in waits, f"it comes before {part}, and would go after it"


def test_the_report_tells_them_from_the_platform_s(tmp_path: Path) -> None:
    files = one_environment(tmp_path, {"extra_releases": {"kured": KURED}, "extra_manifests": {"words": [OBJECT]}})
    main.build_app(load(files), outdir=str(tmp_path / "out")).synth()
    items = workloads(Document.read("vet-dev-helm", tmp_path / "out/stacks"), dedicated=False)
    assert [each.name for each in items if each.purpose == ADDED] == ["kured", "objects-words"]
    assert [each.name for each in items if not each.purpose] == []


def test_a_namespace_that_everybody_reaches_has_no_policy(synthesise: Synthesise) -> None:
    open_, closed = ({"kured": {**KURED, "reached_by": who}} for who in ("everybody", "namespace"))
    policies = [
        synthesise(extra_releases=each)["vet-dev-helm"].resources("kubernetes_network_policy_v1")
        for each in (open_, closed)
    ]
    assert ["extra/policy_kured" in each for each in policies] == [False, True]
    assert policies[1]["extra/policy_kured"]["spec"]["ingress"] == [{"from": [{"pod_selector": {}}]}]


def test_objects_reach_the_cluster_as_they_are_after_the_releases_that_know_their_kinds(
    synthesise: Synthesise,
) -> None:
    stacks = synthesise(extra_manifests={"words": [OBJECT, OBJECT]}, extra_releases={"kured": KURED})
    release = stacks["vet-dev-helm"].one("helm_release", "extra/objects_words")
    assert _values(stacks["vet-dev-helm"], "extra/objects_words") == {"objects": [OBJECT, OBJECT]}
    assert any("extra_release_kured" in each for each in release["depends_on"])


def test_an_override_changes_its_attribute_and_nothing_else(synthesise: Synthesise, templates: Made) -> None:
    place = "infrastructure/servers/slot_0/Resource"
    stacks = synthesise(terraform_overrides={place: {"root_block_device.iops": 4000, "tags.Note": "${var.x}"}})
    own = templates["vet-dev"].one("aws_instance", "servers/slot_0")
    changed = stacks["vet-dev"].one("aws_instance", "servers/slot_0")
    assert changed == merge(own, {"root_block_device": {"iops": 4000}, "tags": {"Note": "${var.x}"}})
    for type_, path, block in stacks["vet-dev"].every_resource():
        if path != "servers/slot_0" and type_ != "terraform_data":
            assert block == templates["vet-dev"].resources(type_)[path], f"{type_} {path} differs"


def test_an_override_of_what_is_not_there_is_refused_with_the_nearest(synthesise: Synthesise) -> None:
    place = "infrastructure/servers/slot_1/Resource"
    with pytest.raises(SettingsError) as raised:
        synthesise(terraform_overrides={place: {"monitoring": False}})
    (problem,) = raised.value.problems
    assert problem.key == f"terraform_overrides.{place}"
    assert "infrastructure/servers/slot_0/Resource" in problem.remedy


def test_synth_shows_that_refusal_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = one_environment(tmp_path, {"terraform_overrides": {"helm/nothing": {"timeout": 1}}})
    with pytest.raises(SystemExit) as ended:
        main.synthesise(files, str(tmp_path / "out"))
    assert ended.value.code == 1
    assert "terraform_overrides.helm/nothing" in capsys.readouterr().err


def test_what_is_remembered_of_them_means_just_its_characters(synthesise: Synthesise) -> None:
    """The output would be evaluated by Terraform, and an environment without them has the state that it had."""
    plain = synthesise()["vet-dev-helm"].output("settings")["value"]
    assert not {key for key in plain if key.startswith(("extra_", "terraform_overrides", "services", "hosts.grafana"))}
    value = synthesise(extra_manifests={"words": [OBJECT]})["vet-dev-helm"].output("settings")["value"]
    assert "$${b}" in value["extra_manifests"]
    assert "${b}" not in value["extra_manifests"].replace("$${b}", "")


def test_rke2_gets_the_team_s_entries_after_the_platform_s(synthesise: Synthesise, templates: Made) -> None:
    given = {"servers": {"disable": ["rke2-metrics-server"], "debug": True}, "agents": {"kubelet-arg": ["max-pods=50"]}}
    template = synthesise(rke2_config=given)["vet-dev"]
    own, changed = (
        _config(each.one("aws_instance", "servers/slot_0")["user_data"]) for each in (templates["vet-dev"], template)
    )
    assert changed == {**own, "disable": [*own["disable"], "rke2-metrics-server"], "debug": True}
    before, after = (_config(_agents(each)) for each in (templates["vet-dev"], template))
    assert after == {**before, "kubelet-arg": [*before["kubelet-arg"], "max-pods=50"]}


def test_nodes_may_read_the_secrets_of_registries_and_no_others(synthesise: Synthesise, templates: Made) -> None:
    stack = synthesise(registries={"credentials": {"registry.example.com": "mirror"}})["vet-dev"]
    for template, wanted in ((templates["vet-dev"], 0), (stack, 2)):
        policies = [each["policy"] for each in template.resources("aws_iam_role_policy").values()]
        policies += [each["policy"] for each in template.resources("aws_iam_policy").values()]
        matches = [policy for policy in policies if "secret:vet-dev/registries/mirror-??????" in json.dumps(policy)]
        assert len(matches) == wanted, f"{len(matches)} policies name the secret"


def test_user_data_with_as_much_as_the_rule_allows_fits_ec2(synthesise: Synthesise, templates: Made) -> None:
    labels = [f"label-{number}=value-{number}" for number in range(40)]
    template = synthesise(
        rke2_config={"servers": {"node-label": labels}, "agents": {"node-label": labels}},
        proxy={"url": "http://proxy.example.com:3128"},
        servers={"count": 3},
    )["vet-dev"]
    longest = max(len(each["user_data"].encode()) for each in template.resources("aws_instance").values())
    assert longest < 16_384 - 256, f"{longest} bytes, and references grow when Terraform fills them in"


def _config(user_data: str) -> dict[str, Any]:
    files = yaml.safe_load(user_data)["write_files"]
    (file,) = [each for each in files if each["path"].endswith("10-cluster.yaml")]
    config: dict[str, Any] = yaml.safe_load(file["content"])
    return config


def _agents(template: Template) -> str:
    (text,) = [each for each in template.document["locals"].values() if str(each).startswith("#cloud-config")]
    return str(text)
