"""RKE2's configuration: right for AWS, and only with keys that the release knows."""

import base64
from dataclasses import replace

import pytest
import yaml

from modules.platform.vet_application.configuration import DRAIN_SECONDS, LONGEST_REQUEST_SECONDS
from modules.platform.vet_application.pod import SPARE_SECONDS
from nodes import rke2
from nodes.boot import SIGNING_KEY, agent_user_data, server_user_data
from nodes.extras import Extras
from nodes.inputs import ClusterInputs
from nodes.release import node_release
from nodes.rke2 import UnknownKeysError, agent_config, cloud_controller, credential_provider, server_config
from settings import helm_values
from settings.namespaces import ADMISSION_PLUGINS
from settings.release_sets import SETS, release_set
from settings.rke2_config_keys import unknown_keys


@pytest.mark.parametrize("name", SETS)
def test_all_keys_are_known_to_the_sets_rke2(name: str, inputs: ClusterInputs) -> None:
    released = replace(inputs, release=node_release(release_set(name)))
    for role, text in (("server", server_config(released)), ("agent", agent_config(released))):
        assert unknown_keys(released.release.rke2, role, yaml.safe_load(text)) == []  # type: ignore[arg-type]


def test_an_unknown_key_is_refused_with_a_remedy(inputs: ClusterInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodes.rke2._common", lambda _: {"etcd-s3-retention": 5})
    with pytest.raises(UnknownKeysError, match=r"etcd-s3-retention.*release_set"):
        server_config(inputs)


def test_servers_are_reached_by_the_load_balancer_and_their_addresses(inputs: ClusterInputs) -> None:
    config = yaml.safe_load(server_config(inputs))
    assert config["tls-san"] == ["${aws_lb.api.dns_name}", "10.0.10.10", "10.0.11.10", "10.0.12.10"]


def test_etcd_s_measurements_stay_on_the_servers_loopback_address(inputs: ClusterInputs) -> None:
    """Told otherwise, RKE2 serves them in plain HTTP on every address of a server (docs.rke2.io: etcd-expose-metrics)."""
    assert not yaml.safe_load(server_config(inputs)).get("etcd-expose-metrics")


def test_a_team_s_entries_come_after_the_platform_s_and_replace_none(inputs: ClusterInputs) -> None:
    own = yaml.safe_load(server_config(inputs))
    given = {"kube-apiserver-arg": ["v=2"], "debug": True}
    config = yaml.safe_load(server_config(replace(inputs, extras=Extras(server_config=given))))
    assert config == {**own, "kube-apiserver-arg": [*own["kube-apiserver-arg"], "v=2"], "debug": True}


def test_the_static_part_never_says_whom_to_join(inputs: ClusterInputs) -> None:
    """Whether a server joins or initialises is decided on the machine."""
    assert "server" not in yaml.safe_load(server_config(inputs))


def test_agents_join_through_the_load_balancer(inputs: ClusterInputs) -> None:
    assert yaml.safe_load(agent_config(inputs))["server"] == "https://${aws_lb.api.dns_name}:9345"


def test_snapshots_go_to_the_bucket_with_region_and_folder_and_a_retention_for_all_servers(
    inputs: ClusterInputs,
) -> None:
    config = yaml.safe_load(server_config(inputs))
    assert config["etcd-s3"] is True
    assert config["etcd-s3-region"] == "eu-central-1"
    assert config["etcd-s3-folder"] == "vet-prod"
    assert config["etcd-snapshot-retention"] == 3 * inputs.snapshots_kept


def test_a_release_that_counts_the_bucket_apart_keeps_as_many_there(inputs: ClusterInputs) -> None:
    """Without its own number the bucket would have five, of all servers together."""
    current = node_release(release_set("current"))
    config = yaml.safe_load(server_config(replace(inputs, release=current)))
    assert config["etcd-s3-retention"] == 3 * inputs.snapshots_kept
    assert config["etcd-snapshot-retention"] == inputs.snapshots_kept


def test_the_issuer_is_there_from_the_first_boot(inputs: ClusterInputs) -> None:
    arguments = yaml.safe_load(server_config(inputs))["kube-apiserver-arg"]
    assert f"service-account-issuer={inputs.issuer_url}" in arguments
    assert f"service-account-jwks-uri={inputs.issuer_url}/openid/v1/jwks" in arguments
    assert any(
        "https://kubernetes.default.svc" in argument for argument in arguments if argument.startswith("api-audiences=")
    )


def test_the_api_server_reads_what_namespaces_say_of_their_pods_place(inputs: ClusterInputs) -> None:
    """Without these plugins the annotations of settings/namespaces.py do nothing, and Rancher's pods, which tolerate no taint, are on agents."""
    (given,) = [
        each.removeprefix("enable-admission-plugins=").split(",")
        for each in yaml.safe_load(server_config(inputs))["kube-apiserver-arg"]
        if each.startswith("enable-admission-plugins=")
    ]
    assert given == [*ADMISSION_PLUGINS]
    assert {"NodeRestriction", "PodNodeSelector", "PodTolerationRestriction"} <= set(given)


def test_network_and_ingress_are_as_the_architecture_says(inputs: ClusterInputs) -> None:
    config = yaml.safe_load(server_config(inputs))
    assert config["cni"] == "calico"
    assert {"rke2-ingress-nginx", "rke2-traefik"} <= set(config["disable"]), (
        "RKE2 would bring a second ingress controller"
    )
    assert config["cloud-provider-name"] == "external"
    assert config["disable-cloud-controller"] is True


def test_modes_are_strings(inputs: ClusterInputs) -> None:
    """Unquoted, 0600 is a YAML number."""
    assert yaml.safe_load(server_config(inputs))["write-kubeconfig-mode"] == "0600"


def test_only_dedicated_servers_are_tainted(inputs: ClusterInputs) -> None:
    assert yaml.safe_load(server_config(inputs))["node-taint"] == ["CriticalAddonsOnly=true:NoExecute"]
    assert "node-taint" not in yaml.safe_load(server_config(replace(inputs, dedicated_servers=False)))


def test_cloud_controller_bootstraps_and_never_deletes_nodes(inputs: ClusterInputs) -> None:
    chart = yaml.safe_load(cloud_controller(inputs))
    assert chart["spec"]["bootstrap"] is True
    values = yaml.safe_load(chart["spec"]["valuesContent"])
    (controllers,) = [argument for argument in values["args"] if argument.startswith("--controllers=")]
    assert "-cloud-node-lifecycle" in controllers.split("=")[1].split(",")
    assert values["nodeSelector"] == {"node-role.kubernetes.io/control-plane": "true"}
    assert values["hostNetworking"] is True
    minor = inputs.release.kubectl.rsplit(".", 1)[0]
    assert values["image"]["tag"].startswith(f"{minor}."), "the image must be of the cluster's minor"


def test_the_cloud_controller_comes_from_the_mirror_if_there_is_one(inputs: ClusterInputs) -> None:
    mirror = "https://charts.example.com"
    mirrored = replace(inputs, release=node_release(release_set("documented"), mirror))
    assert f"repo: {mirror}" in cloud_controller(mirrored)
    assert mirror not in cloud_controller(inputs)


def test_images_are_pulled_from_ecr_with_the_instance_role() -> None:
    (provider,) = yaml.safe_load(credential_provider("eu-central-1"))["providers"]
    assert provider["name"] == "ecr-credential-provider", "the name is the program's"
    assert provider["env"] == [{"name": "AWS_REGION", "value": "eu-central-1"}]


def test_a_node_that_goes_down_ends_its_pods_first(inputs: ClusterInputs) -> None:
    for config, data in (
        (server_config(inputs), server_user_data(inputs, slot=0, data_volume_id="vol-1")),
        (agent_config(inputs), agent_user_data(inputs)),
    ):
        (path,) = [arg.removeprefix("config=") for arg in yaml.safe_load(config)["kubelet-arg"] if "config=" in arg]
        (file,) = [each for each in yaml.safe_load(data)["write_files"] if each["path"] == path]
        kubelet = yaml.safe_load(file["content"])
        whole, critical = (
            int(kubelet[key].removesuffix("s")) for key in ("shutdownGracePeriod", "shutdownGracePeriodCriticalPods")
        )
        database = helm_values.load(helm_values.FOLDER / "charts/database/values.yaml")["stopDelay"]
        web = DRAIN_SECONDS + LONGEST_REQUEST_SECONDS + SPARE_SECONDS
        assert whole - critical >= max(database, web), (
            f"pods get {whole - critical} s, and end in {database} and {web} s"
        )
        assert whole < 120, "AWS takes a Spot instance back two minutes after it says so"


def test_the_signing_key_is_handed_over_in_binary(inputs: ClusterInputs) -> None:
    files = yaml.safe_load(server_user_data(inputs, slot=0, data_volume_id="vol-1"))["write_files"]
    (key,) = [file for file in files if file["path"] == "/etc/vet/aws-cli.gpg"]
    assert key["encoding"] == "b64"
    binary = base64.b64decode(key["content"])
    assert binary[0] & 0x80, "an OpenPGP packet starts with its high bit set"
    assert base64.b64encode(binary).decode()[:60] in SIGNING_KEY.read_text()


def test_the_text_is_the_same_without_libyaml(inputs: ClusterInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """User data that differed between two people's machines would replace the servers."""

    class Own(yaml.SafeDumper):
        pass

    def texts() -> list[str]:
        server = server_user_data(inputs, slot=0, data_volume_id="${aws_ebs_volume.data.id}")
        return [server, agent_user_data(inputs), server_config(inputs), agent_config(inputs)]

    before = texts()
    Own.add_representer(str, rke2._represent_text)
    monkeypatch.setattr(rke2, "_BlockDumper", Own)
    assert texts() == before


NEVER_OFF = {
    "disable-apiserver": "kube-apiserver",
    "disable-controller-manager": "kube-controller-manager",
    "disable-etcd": "etcd",
    "disable-kube-proxy": "kube-proxy",
    "disable-scheduler": "kube-scheduler",
    "container-runtime-endpoint": "RKE2's own containerd",
    "etcd-disable-snapshots": "etcd's snapshots",
}
"""Keys of RKE2 that would leave out a part that the architecture lists: https://docs.rke2.io/reference/server_config."""


def test_nodes_run_every_part_that_the_architecture_lists(inputs: ClusterInputs) -> None:
    for role, text in (("server", server_config(inputs)), ("agent", agent_config(inputs))):
        config = yaml.safe_load(text)
        off = [part for key, part in NEVER_OFF.items() if config.get(key)]
        assert not off, f"{role}s run without {off}"


def test_snapshots_of_etcd_are_taken_by_the_environment_s_schedule(inputs: ClusterInputs) -> None:
    config = yaml.safe_load(server_config(replace(inputs, snapshot_schedule="5 1 * * *")))
    assert config["etcd-snapshot-schedule-cron"] == "5 1 * * *"
    assert config["etcd-s3-bucket"] == inputs.snapshots_bucket
