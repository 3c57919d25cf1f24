"""What a node installs, in versions that belong together, with checksums and with the configuration keys that RKE2 knows."""

from dataclasses import dataclass

_COMMON = """
cloud-provider-name cloud-provider-config data-dir debug default-runtime image-credential-provider-bin-dir
image-credential-provider-config kube-proxy-arg kubelet-arg lb-server-port node-external-ip node-ip node-label node-name node-taint
private-registry profile protect-kernel-defaults resolv-conf selinux server snapshotter token token-file with-node-id
"""

_SERVERS_ONLY = """
advertise-address agent-token agent-token-file audit-policy-file bind-address cluster-cidr cluster-dns cluster-domain cni
control-plane-probe-configuration control-plane-resource-limits control-plane-resource-requests disable disable-apiserver
disable-cloud-controller disable-controller-manager disable-etcd disable-kube-proxy disable-scheduler egress-selector-mode
embedded-registry enable-servicelb etcd-arg etcd-disable-snapshots etcd-expose-metrics etcd-s3 etcd-s3-access-key etcd-s3-bucket
etcd-s3-endpoint etcd-s3-endpoint-ca etcd-s3-folder etcd-s3-insecure etcd-s3-region etcd-s3-secret-key etcd-s3-skip-ssl-verify
etcd-s3-timeout etcd-snapshot-compress etcd-snapshot-dir etcd-snapshot-name etcd-snapshot-retention etcd-snapshot-schedule-cron
helm-job-image kube-apiserver-arg kube-cloud-controller-manager-arg kube-controller-manager-arg kube-scheduler-arg
pod-security-admission-config-file service-cidr service-node-port-range system-default-registry tls-san tls-san-security
write-kubeconfig write-kubeconfig-mode
"""

AGENT_KEYS_1_26 = frozenset(_COMMON.split())
"""Keys of an agent's configuration in v1.26.15+rke2r1 (rancher/rke2 at that tag, pkg/cli/cmds/agent.go and root.go)."""

SERVER_KEYS_1_26 = AGENT_KEYS_1_26 | frozenset(_SERVERS_ONLY.split())
"""Keys of a server's configuration in v1.26.15+rke2r1 (rancher/rke2 at that tag, pkg/cli/cmds/server.go and root.go)."""


@dataclass(frozen=True)
class NodeRelease:
    """Versions of everything that a node installs."""

    rke2: str
    """RKE2 release, such as ``v1.26.15+rke2r1``."""

    rke2_sha256: str
    """Checksum of ``rke2.linux-amd64.tar.gz``; empty, the node checks against the list that the release publishes beside it."""

    kubectl: str
    """kubectl release of the cluster's minor."""

    kubectl_sha256: str
    """Checksum of kubectl for linux/amd64."""

    aws_cli: str
    """AWS CLI version 2; its archive is checked against AWS's signing key."""

    cloud_controller_chart: str
    """Version of the chart ``aws-cloud-controller-manager``."""

    cloud_controller_image: str
    """Tag of the cloud controller's image, of the cluster's minor."""

    ecr_provider: str = "v1.31.7"
    """Release of the kubelet's credential provider for ECR; it speaks ``credentialprovider.kubelet.k8s.io/v1``, known from 1.26."""

    ecr_provider_sha256: str = "7644623e4ec9ad443ab352a8a5800a5180ee28741288be805286ba72bb8e7164"
    """Its checksum for linux/amd64 (kubernetes/kops, pkg/assets/assetdata/ecr.yaml)."""

    server_keys: frozenset[str] = SERVER_KEYS_1_26
    """Keys that a server's ``config.yaml`` may hold in this RKE2. RKE2 only warns about others, and goes on without them."""

    agent_keys: frozenset[str] = AGENT_KEYS_1_26
    """Keys that an agent's ``config.yaml`` may hold in this RKE2."""


DOCUMENTED = NodeRelease(
    rke2="v1.26.15+rke2r1",
    rke2_sha256="",
    kubectl="v1.26.15",
    kubectl_sha256="b75f359e6fad3cdbf05a0ee9d5872c43383683bb8527a9e078bb5b8a44350a41",  # kubernetes-sigs/kubespray v2.24.3
    aws_cli="2.36.9",
    cloud_controller_chart="0.0.8",
    cloud_controller_image="v1.26.14",
)
"""The newest Kubernetes that Rancher 2.7.9 accepts."""
