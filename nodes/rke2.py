"""RKE2's configuration for servers and agents: what is known at synth. A node adds its own facts at boot
(``bin/write-node-identity``, ``bin/bootstrap-server``).

RKE2 reads ``/etc/rancher/rke2/config.yaml.d/*.yaml`` in alphabetical order; tokens are in files of their own, so no
part holds a secret. Sources: docs.rke2.io (server_config, agent_config, backup_restore), rancher/rke2 at the release's
tag.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from nodes import audit_policy, authentication, hardening
from nodes.extras import CLOUD_CONTROLLER
from nodes.inputs import ClusterInputs
from settings import helm_values, yaml_text
from settings.namespaces import ADMISSION_PLUGINS
from settings.rke2_config_keys import Role, unknown_keys

TOKEN = "/etc/rancher/rke2/token"
AGENT_TOKEN = "/etc/rancher/rke2/agent-token"
CREDENTIAL_PROVIDER = "/var/lib/rancher/credentialprovider"

KUBELET = "/etc/rancher/rke2/kubelet.yaml"
"""RKE2 hands it to the kubelet as its configuration; newer ones copy it between their own parts (k3s: kubelet-arg, config)."""

PODS_GRACE_SECONDS, CRITICAL_GRACE_SECONDS = 75, 20
"""What pods get when their node goes down, and after them those that a node cannot be without: together less than the two minutes that AWS
gives before it takes a Spot instance back."""

MEASURED = ("kube-controller-manager", "kube-scheduler")
"""What listens for Prometheus where there is one, and else for the server alone. Both ask for a token that may read their measurements, by TLS
(kubernetes.io: kube-scheduler, --authorization-kubeconfig, which RKE2 gives). The benchmark keeps them closed (1.3.7, 1.4.2), and so does a hardened
cluster."""

SERVER_TAINT = "CriticalAddonsOnly=true:NoExecute"
"""Taint of dedicated servers: RKE2's own packaged components tolerate it (docs.rke2.io, ha)."""


class UnknownKeysError(ValueError):
    """A configuration key that this RKE2 does not know: it would only log a warning and go on without it."""


def server_config(inputs: ClusterInputs) -> str:
    """Configuration shared by all servers, as YAML.

    Raises:
        UnknownKeysError: A key is not known to the release's RKE2.
    """
    addresses = inputs.server_addresses.split()
    config: dict[str, Any] = {
        **_common(inputs),
        "agent-token-file": AGENT_TOKEN,
        "tls-san": [inputs.api_host, *addresses],
        "write-kubeconfig-mode": "0600",
        "cni": inputs.cni,
        "cluster-cidr": inputs.pod_cidr,
        "service-cidr": inputs.service_cidr,
        "disable": ["rke2-ingress-nginx", "rke2-traefik", "rke2-traefik-crd"],
        # Must be the same on all servers; a cloud provider name alone implies it.
        "disable-cloud-controller": True,
        "kube-apiserver-arg": _api_server(inputs),
        "audit-policy-file": audit_policy.POLICY_FILE,
        "etcd-snapshot-schedule-cron": inputs.snapshot_schedule,
        **_retention(inputs, len(addresses)),
        "etcd-snapshot-compress": True,
        "etcd-s3": True,
        "etcd-s3-bucket": inputs.snapshots_bucket,
        "etcd-s3-region": inputs.region,
        "etcd-s3-endpoint": f"s3.{inputs.region}.amazonaws.com",
        "etcd-s3-folder": inputs.cluster,
    }
    if inputs.dedicated_servers:
        config["node-taint"] = [SERVER_TAINT]
    if inputs.hardening:
        config |= hardening.server_configuration()
    elif inputs.monitored:
        config |= {f"{name}-arg": ["bind-address=0.0.0.0"] for name in MEASURED}
    return _checked(_with(config, inputs.extras.server_config), inputs.release.rke2, "server")


def _api_server(inputs: ClusterInputs) -> list[str]:
    """Arguments of the API server; given, each goes over RKE2's own."""
    hardened = bool(inputs.hardening)
    plugins = [*ADMISSION_PLUGINS, *(hardening.ADMISSION_PLUGINS if hardened else ())]
    return [
        f"service-account-issuer={inputs.issuer_url}",
        f"service-account-jwks-uri={inputs.issuer_url}/openid/v1/jwks",
        # Given, the list replaces RKE2's own, so the audience of ordinary tokens is in it again.
        f"api-audiences={inputs.issuer_url},https://kubernetes.default.svc.cluster.local,rke2",
        *audit_policy.arguments(files=hardening.AUDIT_FILES if hardened else audit_policy.FILES),
        f"enable-admission-plugins={','.join(plugins)}",
        *(hardening.API_SERVER if hardened else ()),
        *authentication.arguments(inputs),
    ]


def _retention(inputs: ClusterInputs, servers: int) -> dict[str, int]:
    """How many snapshots are kept. RKE2 counts those of all servers in the bucket's folder together.

    Releases that know ``etcd-s3-retention`` use the other key for the disk alone, and keep 5 in the bucket without it
    (k3s-io/k3s#12669, #13769); for older ones it is both. What fits on the disk, ``bin/trim-snapshots`` knows.
    """
    in_bucket = inputs.snapshots_kept * servers
    if unknown_keys(inputs.release.rke2, "server", ["etcd-s3-retention"]):
        return {"etcd-snapshot-retention": in_bucket}
    return {"etcd-snapshot-retention": inputs.snapshots_kept, "etcd-s3-retention": in_bucket}


def agent_config(inputs: ClusterInputs, *, labels: Mapping[str, str] | None = None, taints: Sequence[str] = ()) -> str:
    """Configuration shared by agents of one kind, as YAML.

    :param labels: of their Nodes. RKE2 gives them when a node registers, and leaves a Node that is there as it is.
    :param taints: of their Nodes, as ``key=value:effect``.

    Raises:
        UnknownKeysError: A key is not known to the release's RKE2.
    """
    config: dict[str, Any] = {**_common(inputs), "server": f"https://{inputs.api_host}:9345"}
    if labels:
        config["node-label"] = [f"{key}={value}" for key, value in labels.items()]
    if taints:
        config["node-taint"] = list(taints)
    return _checked(_with(config, inputs.extras.agent_config), inputs.release.rke2, "agent")


def cloud_controller(inputs: ClusterInputs) -> str:
    """Manifest of the AWS cloud controller, from the first boot: without it every node stays tainted as uninitialised.

    ``bootstrap`` makes RKE2's Helm job tolerate such nodes. What it may do is in
    ``helm-values/aws-cloud-controller-manager.yaml``.
    """
    values = helm_values.merge(
        helm_values.load(helm_values.FOLDER / f"{CLOUD_CONTROLLER}.yaml"),
        {"image": {"tag": inputs.release.cloud_controller_image}},
        inputs.extras.cloud_controller_values,
    )
    chart = {
        "apiVersion": "helm.cattle.io/v1",
        "kind": "HelmChart",
        "metadata": {"name": CLOUD_CONTROLLER, "namespace": "kube-system"},
        "spec": {
            "chart": CLOUD_CONTROLLER,
            "repo": inputs.release.cloud_controller_repository,
            "version": inputs.release.cloud_controller_chart,
            "targetNamespace": "kube-system",
            "bootstrap": True,
            "valuesContent": to_yaml(values),
        },
    }
    return to_yaml(chart)


def credential_provider(region: str) -> str:
    """The kubelet's configuration for pulling from ECR with the instance's role (kubelet.config.k8s.io/v1, from
    1.26)."""
    provider = {
        "name": "ecr-credential-provider",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": ["*.dkr.ecr.*.amazonaws.com"],
        "defaultCacheDuration": "12h",
        "args": ["get-credentials"],
        "env": [{"name": "AWS_REGION", "value": region}],
    }
    return to_yaml(
        {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [provider]}
    )


def kubelet(inputs: ClusterInputs) -> str:
    """The kubelet's own configuration: a node that is shut down ends its pods first (kubernetes.io: node shutdowns). No flag sets these."""
    return to_yaml(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "shutdownGracePeriod": f"{PODS_GRACE_SECONDS + CRITICAL_GRACE_SECONDS}s",
            "shutdownGracePeriodCriticalPods": f"{CRITICAL_GRACE_SECONDS}s",
            **({"podPidsLimit": hardening.POD_PIDS} if inputs.hardening else {}),
        }
    )


def _common(inputs: ClusterInputs) -> dict[str, Any]:
    return {
        **(hardening.configuration() if inputs.hardening else {}),
        "kubelet-arg": [f"config={KUBELET}"],
        "token-file": TOKEN,
        "cloud-provider-name": "external",
        "protect-kernel-defaults": True,
        "image-credential-provider-bin-dir": f"{CREDENTIAL_PROVIDER}/bin",
        "image-credential-provider-config": f"{CREDENTIAL_PROVIDER}/config.yaml",
    }


def _with(config: dict[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """The platform's keys and the team's; of a list the platform's entries come first."""
    added = {
        key: [*config.get(key, []), *value] if isinstance(value, list) else value for key, value in further.items()
    }
    return {**config, **added}


def _checked(config: dict[str, Any], release: str, role: Role) -> str:
    # What a node adds at boot (bin/write-node-identity, bin/bootstrap-server) goes through the same check.
    unknown = unknown_keys(release, role, {*config, "node-name", "node-ip", "kubelet-arg", "server"})
    if unknown:
        raise UnknownKeysError(
            f"RKE2 {release} does not know the {role} configuration key(s) {', '.join(unknown)}"
            " and would go on without them;"
            " choose a release set whose RKE2 has them (cluster.release_set), or correct nodes/rke2.py"
        )
    return to_yaml(config)


def to_yaml(document: dict[str, Any], *, short: bool = False) -> str:
    """YAML for people: in the order given, and text of several lines as a literal block.

    :param short: each innermost list and mapping on one line, since user data has room for 16 KB (EC2 API: RunInstances).
    """
    flow = None if short else False
    return yaml.dump(document, Dumper=_BlockDumper, sort_keys=False, width=4096, default_flow_style=flow)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_BlockDumper: Any = type("_BlockDumper", (yaml_text.Dumper,), {})
_BlockDumper.add_representer(str, _represent_text)
