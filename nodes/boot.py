"""The seam between Terraform and the nodes: what a node is told at boot, and the bundle of programs that it fetches.

User data is a thin cloud-config: it writes ``/etc/vet/node.env`` (names and addresses, never a secret) and starts a
loader, which fetches the bundle from the environment's bucket by the instance's role, checks its SHA-256 and hands over
to it. So user data stays small (EC2 allows 16 KiB), and what the nodes run is versioned with the Terraform that creates
them.
"""

import gzip
import hashlib
import io
import tarfile
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from nodes import audit_policy, authentication, extra_volumes, hardening, rke2
from nodes.former_names import FORMER_NAMES
from nodes.inputs import ClusterInputs, NodeEnvironment
from settings.instance_types import ARM64, X86_64
from settings.pools import ExtraVolume

HERE = Path(__file__).parent
PACKED = ("bin", "units")
LOADER = HERE / "fetch-programs.sh"
LOADER_UNIT = HERE / "fetch-programs.service"
SIGNING_KEY = HERE / "aws-cli-signing-key.asc"

SERVERS_KEY = "nodes/servers"
"""Object with the fixed addresses of all servers, slot 0 first (``bin/learn-servers``): user data is of the day a server was made."""

PROXY = "/etc/vet/proxy.env"
"""Where the proxy is said, if there is one."""

SSM_AGENT = "snap.amazon-ssm-agent.amazon-ssm-agent.service"
"""Session Manager's agent in Ubuntu's image."""

METADATA = "169.254.169.254"
"""The instance metadata service: through a proxy it would answer for the proxy's machine."""

PUBLISHED_AS = {X86_64: "amd64", ARM64: "arm64"}
"""How RKE2 and Kubernetes name architectures in the files that they publish."""

AWS_CLI = {ARM64: "linux-aarch64"}
"""How AWS names the archive of its CLI for other architectures than the loader's own (docs.aws.amazon.com/cli, install)."""

READY_COMMAND = (
    "for i in $(seq 60); do for program in wait-ready ready; do "
    "[ ! -x /opt/vet/bin/$program ] || exec /opt/vet/bin/$program; done; sleep 10; done; "
    "echo 'no programs after 10 minutes'; exit 1"
)
"""The ready gate, for a Session Manager association on server 0: waits for the programs, then for the cluster (about 40
minutes at most). A server that was made before 2026-11-29 has the program under its former name."""


@dataclass(frozen=True)
class Bundle:
    """The programs of ``bin/``, the systemd units of ``units/`` and a team's scripts as one reproducible archive."""

    content: bytes
    """A gzipped tar: same files, same bytes."""

    @property
    def sha256(self) -> str:
        """Checksum in hexadecimal, which the loader verifies."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def base64(self) -> str:
        """The content as Terraform takes it."""
        return b64encode(self.content).decode()

    @property
    def key(self) -> str:
        """Object key; it holds the checksum, so a new bundle never replaces the one that running nodes fetch."""
        return f"nodes/{self.sha256}.tar.gz"


@cache
def bundle(scripts: tuple[tuple[str, str], ...] = ()) -> Bundle:
    """Pack the programs, with owners, times and order fixed.

    :param scripts: a team's own, by their place in the archive.
    """
    paths = sorted(path for folder in PACKED for path in (HERE / folder).iterdir() if path.is_file())
    files = {path.relative_to(HERE).as_posix(): path.read_bytes() for path in paths}
    files |= {place: text.encode() for place, text in sorted(scripts)}
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for place, content in files.items():
            # However the files were checked out: no shell of a node takes lines that end as on Windows.
            content = content.replace(b"\r\n", b"\n")
            info = tarfile.TarInfo(place)
            info.mode, info.size = 0o644 if place.startswith("units/") else 0o755, len(content)
            tar.addfile(info, io.BytesIO(content))
        for former, program in sorted(FORMER_NAMES.items()):
            link = tarfile.TarInfo(f"bin/{former}")
            link.type, link.linkname = tarfile.SYMTYPE, program
            tar.addfile(link)
    return Bundle(buffer.getvalue())


def server_user_data(inputs: ClusterInputs, *, slot: int, data_volume_id: str) -> str:
    """User data of the server in ``slot``, whose retained data volume is ``data_volume_id``.

    Raises:
        UnknownKeysError: The release's RKE2 does not know a key of its configuration.
    """
    files = [
        _file("/etc/rancher/rke2/config.yaml.d/10-cluster.yaml", rke2.server_config(inputs), "0600"),
        _file(audit_policy.POLICY_FILE, rke2.to_yaml(audit_policy.policy(), short=True), "0600"),
        _file("/etc/vet/manifests/vet-cloud-controller.yaml", rke2.cloud_controller(inputs), "0600"),
    ]
    if inputs.hardening:
        files.append(_file(hardening.POD_SECURITY_FILE, rke2.to_yaml(hardening.pod_security(), short=True), "0600"))
    if known := authentication.configuration(inputs):
        files.append(_file(authentication.FILE, rke2.to_yaml(known, short=True), "0600"))
    return _user_data(inputs, {"ROLE": "server", "SLOT": str(slot), "DATA_VOLUME_ID": data_volume_id}, files)


def agent_user_data(
    inputs: ClusterInputs,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[str] = (),
    volumes: Sequence[ExtraVolume] = (),
) -> str:
    """User data of agents.

    :param labels: of their Nodes, next to what Kubernetes sets.
    :param taints: of their Nodes, as ``key=value:effect``.
    :param volumes: further ones, which are mounted before the node joins.

    Raises:
        UnknownKeysError: The release's RKE2 does not know a key of its configuration.
    """
    config = rke2.agent_config(inputs, labels=labels or {}, taints=taints)
    files = [
        _file("/etc/rancher/rke2/config.yaml.d/10-cluster.yaml", config, "0600"),
        *(_file(path, text, permissions) for path, permissions, text in extra_volumes.files(volumes)),
    ]
    return _user_data(inputs, {"ROLE": "agent"}, files, extra_volumes.commands(volumes))


def _user_data(
    inputs: ClusterInputs, node: dict[str, str], files: list[dict[str, str]], commands: Sequence[list[str]] = ()
) -> str:
    document = {
        "write_files": [
            _file("/etc/vet/node.env", _environment(inputs, node)),
            {**_file("/etc/vet/aws-cli.gpg", b64encode(_binary_key()).decode()), "encoding": "b64"},
            _file(f"{rke2.CREDENTIAL_PROVIDER}/config.yaml", rke2.credential_provider(inputs.region)),
            _file(rke2.KUBELET, rke2.kubelet(inputs), "0600" if inputs.hardening else "0644"),
            *files,
            *_registries(inputs),
            *_proxy(inputs),
            _file("/usr/local/lib/vet/fetch-programs.sh", _loader(inputs), "0755"),
            _file("/etc/systemd/system/vet-fetch-programs.service", LOADER_UNIT.read_text()),
        ],
        "runcmd": [
            *commands,
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "--no-block", "vet-fetch-programs.service"],
            *([["systemctl", "try-restart", "--no-block", SSM_AGENT]] if inputs.extras.proxy else []),
        ],
    }
    return "#cloud-config\n" + rke2.to_yaml(document)


def _loader(inputs: ClusterInputs) -> str:
    """``fetch-programs.sh``, with the AWS CLI of the node's architecture. Its comments stay at home: user data has room for 16 KB."""
    lines = LOADER.read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("# ") or line.startswith("# shellcheck"))
    return (
        text
        if inputs.release.architecture == X86_64
        else text.replace("linux-x86_64", AWS_CLI[inputs.release.architecture])
    )


def _registries(inputs: ClusterInputs) -> list[dict[str, str]]:
    return [_file("/etc/vet/registries.json", inputs.extras.registries_file)] if inputs.extras.registries else []


def _proxy(inputs: ClusterInputs) -> list[dict[str, str]]:
    """The proxy, for the programs (``bin/lib.sh``), for RKE2 (``bin/prepare-host``), and for what runs before them: the loader, and the SSM
    agent, by which people and the ready gate reach the node (AWS Systems Manager user guide: configure SSM Agent to use a proxy)."""
    extras = inputs.extras
    if not extras.proxy:
        return []
    values = {"http_proxy": extras.proxy, "https_proxy": extras.proxy, "no_proxy": ",".join(without_proxy(inputs))}
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    unit = f"[Service]\nEnvironmentFile={PROXY}\n"
    return [
        _file(PROXY, lines),
        *(
            _file(f"/etc/systemd/system/{name}.d/proxy.conf", unit)
            for name in ("vet-fetch-programs.service", SSM_AGENT)
        ),
    ]


def without_proxy(inputs: ClusterInputs) -> list[str]:
    """What must not go through the proxy: the machine itself, its metadata, the cluster and its names, the API, and S3, which has a way of its own.

    curl and the AWS CLI know no networks, so the servers stand here by their addresses as well.
    """
    s3 = f"s3.{inputs.region}.amazonaws.com"
    return [
        *("localhost", "127.0.0.1", METADATA, inputs.vpc_cidr, inputs.pod_cidr, inputs.service_cidr),
        *(".svc", ".cluster.local", ".internal", inputs.api_host, *inputs.server_addresses.split()),
        *(s3, f".{s3}", *inputs.extras.direct),
    ]


def _environment(inputs: ClusterInputs, node: dict[str, str]) -> str:
    """What the programs read, as shell assignments: names, addresses and versions.

    Raises:
        ValueError: a value would end its quotes.
    """
    release = inputs.release
    names = {field.name.upper(): getattr(inputs, field.name) for field in fields(NodeEnvironment)}
    versions = {
        "RKE2_VERSION": release.rke2,
        "RKE2_SHA256": release.rke2_sha256,
        "KUBECTL_VERSION": release.kubectl,
        "KUBECTL_SHA256": release.kubectl_sha256,
        "ECR_PROVIDER_VERSION": release.ecr_provider,
        "ECR_PROVIDER_SHA256": release.ecr_provider_sha256,
        "AWS_CLI_VERSION": release.aws_cli,
        "CLOUDWATCH_AGENT_VERSION": release.cloudwatch_agent,
        "ARCHITECTURE": PUBLISHED_AS[release.architecture],
        "BUNDLE_KEY": bundle(inputs.extras.scripts).key,
        "BUNDLE_SHA256": bundle(inputs.extras.scripts).sha256,
    }
    assignments = sorted({**names, **versions, **node}.items())
    for name, value in assignments:
        if "'" in value or "\n" in value:
            raise ValueError(
                f"{name} in /etc/vet/node.env, which shells read, may have no quote and one line: {value!r}"
            )
    return "".join(f"{name}='{value}'\n" for name, value in assignments)


def _file(path: str, content: str, permissions: str = "0644") -> dict[str, str]:
    return {"path": path, "permissions": permissions, "content": content}


def _binary_key() -> bytes:
    """AWS's signing key without its ASCII armour: gpgv reads only the binary form. The last line is the armour's own
    checksum."""
    body = SIGNING_KEY.read_text().split("\n\n", 1)[1].split("\n-----END", 1)[0]
    return b64decode("".join(line for line in body.splitlines() if not line.startswith("=")))
