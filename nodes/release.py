"""What a node installs, in versions that belong together, with the checksums that are known."""

from dataclasses import dataclass
from pathlib import Path

from settings import yaml_text
from settings.instance_types import X86_64
from settings.release_sets import ReleaseSet

CHECKSUMS = Path(__file__).parent / "checksums.yaml"

ECR_PROVIDER = "v1.31.7"
"""Release of the kubelet's credential provider for ECR; it speaks ``credentialprovider.kubelet.k8s.io/v1``, known from
Kubernetes 1.26."""

CLOUDWATCH_AGENT = "1.300072.0b1766"
"""Release of AWS's CloudWatch agent, which nodes install where they send their logs; it reads journals since 1.300070
(aws/amazon-cloudwatch-agent, RELEASE_NOTES)."""


@dataclass(frozen=True)
class NodeRelease:
    """Versions of everything that a node installs. An empty checksum means: check against what the release
    publishes."""

    rke2: str
    """RKE2 release, such as ``v1.26.15+rke2r1``."""

    rke2_sha256: str
    """Checksum of ``rke2.linux-amd64.tar.gz``, or of the other architecture's."""

    kubectl: str
    """kubectl release, such as ``v1.26.15``: the cluster's own."""

    kubectl_sha256: str
    """Checksum of kubectl for the architecture."""

    ecr_provider_sha256: str
    """Checksum of the ECR credential provider for the architecture."""

    aws_cli: str
    """AWS CLI version 2; its archive is checked against AWS's signing key."""

    cloud_controller_chart: str
    """Version of the chart ``aws-cloud-controller-manager``."""

    cloud_controller_repository: str
    """Repository of that chart."""

    cloud_controller_image: str
    """Tag of the cloud controller's image, of the cluster's minor, with the digest where there is one."""

    ecr_provider: str = ECR_PROVIDER
    """Release of the ECR credential provider."""

    cloudwatch_agent: str = CLOUDWATCH_AGENT
    """Release of the CloudWatch agent; its package is checked against AWS's signing key."""

    architecture: str = X86_64
    """Processor architecture of the nodes, as images name it."""


def node_release(releases: ReleaseSet, mirror: str | None = None, architecture: str = X86_64) -> NodeRelease:
    """What the nodes of an architecture install of a release set; its chart from the repository ``mirror``, if there is one.

    Raises:
        UnknownReleaseError: The set does not pin what a node needs.
    """
    known = yaml_text.load(CHECKSUMS.read_text(encoding="utf-8"))
    if architecture != X86_64:
        known = known[architecture]
    kubectl = f"v{releases.kubernetes}"
    controller = releases["aws-cloud-controller-manager"]
    return NodeRelease(
        rke2=releases.rke2,
        rke2_sha256=known["rke2"].get(releases.rke2, ""),
        kubectl=kubectl,
        kubectl_sha256=known["kubectl"].get(kubectl, ""),
        ecr_provider_sha256=known["ecr-credential-provider"][ECR_PROVIDER],
        aws_cli=releases["aws-cli"].version,
        cloud_controller_chart=controller.version,
        cloud_controller_repository=mirror or controller.chart.repository,
        cloud_controller_image=releases["aws-cloud-controller-manager-image"].tag,
        architecture=architecture,
    )
