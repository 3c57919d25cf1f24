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
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from nodes import audit_policy, rke2
from nodes.inputs import ClusterInputs

HERE = Path(__file__).parent
PACKED = ("bin", "units")
LOADER = HERE / "loader.sh"
LOADER_UNIT = HERE / "loader.service"
SIGNING_KEY = HERE / "aws-cli-signing-key.asc"

SERVERS_KEY = "nodes/servers"
"""Object with the fixed addresses of all servers, slot 0 first (``bin/learn-servers``): user data is of the day a server was made."""

READY_COMMAND = (
    "for i in $(seq 60); do [ -x /opt/vet/bin/ready ] && exec /opt/vet/bin/ready; sleep 10; done; "
    "echo 'no programs after 10 minutes'; exit 1"
)
"""The ready gate, for a Session Manager association on server 0: waits for the programs, then for the cluster (about 40
minutes at most)."""


@dataclass(frozen=True)
class Bundle:
    """The programs of ``bin/`` and the systemd units of ``units/`` as one reproducible archive."""

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
        """Object key; it holds the checksum, so a new bundle never replaces the one that running nodes were told of."""
        return f"nodes/{self.sha256}.tar.gz"


@cache
def bundle() -> Bundle:
    """Pack the programs, with owners, times and order fixed."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(path for folder in PACKED for path in (HERE / folder).iterdir() if path.is_file()):
            # However the files were checked out: no shell of a node takes lines that end as on Windows.
            content = path.read_bytes().replace(b"\r\n", b"\n")
            info = tarfile.TarInfo(path.relative_to(HERE).as_posix())
            info.mode, info.size = 0o755 if path.parent.name == "bin" else 0o644, len(content)
            tar.addfile(info, io.BytesIO(content))
    return Bundle(buffer.getvalue())


def server_user_data(inputs: ClusterInputs, *, slot: int, data_volume_id: str) -> str:
    """User data of the server in ``slot``, whose retained data volume is ``data_volume_id``.

    Raises:
        UnknownKeysError: The release's RKE2 does not know a key of its configuration.
    """
    files = [
        _file("/etc/rancher/rke2/config.yaml.d/10-cluster.yaml", rke2.server_config(inputs), "0600"),
        _file(audit_policy.POLICY_FILE, rke2.to_yaml(audit_policy.policy()), "0600"),
        _file("/etc/vet/manifests/vet-cloud-controller.yaml", rke2.cloud_controller(inputs), "0600"),
    ]
    return _user_data(inputs, {"ROLE": "server", "SLOT": str(slot), "DATA_VOLUME_ID": data_volume_id}, files)


def agent_user_data(inputs: ClusterInputs) -> str:
    """User data of every agent.

    Raises:
        UnknownKeysError: The release's RKE2 does not know a key of its configuration.
    """
    files = [_file("/etc/rancher/rke2/config.yaml.d/10-cluster.yaml", rke2.agent_config(inputs), "0600")]
    return _user_data(inputs, {"ROLE": "agent"}, files)


def _user_data(inputs: ClusterInputs, node: dict[str, str], files: list[dict[str, str]]) -> str:
    document = {
        "write_files": [
            _file("/etc/vet/node.env", _environment(inputs, node)),
            {**_file("/etc/vet/aws-cli.gpg", b64encode(_binary_key()).decode()), "encoding": "b64"},
            _file(f"{rke2.CREDENTIAL_PROVIDER}/config.yaml", rke2.credential_provider(inputs.region)),
            _file(rke2.KUBELET, rke2.kubelet()),
            *files,
            _file("/usr/local/lib/vet/loader.sh", LOADER.read_text(), "0755"),
            _file("/etc/systemd/system/vet-loader.service", LOADER_UNIT.read_text()),
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "--no-block", "vet-loader.service"],
        ],
    }
    return "#cloud-config\n" + rke2.to_yaml(document)


def _environment(inputs: ClusterInputs, node: dict[str, str]) -> str:
    """What the programs read, as shell assignments: names, addresses and versions.

    Raises:
        ValueError: a value would end its quotes.
    """
    release = inputs.release
    names = {field.name.upper(): getattr(inputs, field.name) for field in fields(inputs) if field.name in _FOR_PROGRAMS}
    versions = {
        "RKE2_VERSION": release.rke2,
        "RKE2_SHA256": release.rke2_sha256,
        "KUBECTL_VERSION": release.kubectl,
        "KUBECTL_SHA256": release.kubectl_sha256,
        "ECR_PROVIDER_VERSION": release.ecr_provider,
        "ECR_PROVIDER_SHA256": release.ecr_provider_sha256,
        "AWS_CLI_VERSION": release.aws_cli,
        "BUNDLE_KEY": bundle().key,
        "BUNDLE_SHA256": bundle().sha256,
    }
    told = sorted({**names, **versions, **node}.items())
    for name, value in told:
        if "'" in value or "\n" in value:
            raise ValueError(
                f"{name} in /etc/vet/node.env, which shells read, may have no quote and one line: {value!r}"
            )
    return "".join(f"{name}='{value}'\n" for name, value in told)


_FOR_PROGRAMS = frozenset(ClusterInputs.__dataclass_fields__) - {
    "account_id",
    "release",
    "cni",
    "pod_cidr",
    "service_cidr",
    "snapshot_schedule",
    "snapshots_kept",
    "dedicated_servers",
    "application_namespace",
}


def _file(path: str, content: str, permissions: str = "0644") -> dict[str, str]:
    return {"path": path, "permissions": permissions, "content": content}


def _binary_key() -> bytes:
    """AWS's signing key without its ASCII armour: gpgv reads only the binary form. The last line is the armour's own
    checksum."""
    body = SIGNING_KEY.read_text().split("\n\n", 1)[1].split("\n-----END", 1)[0]
    return b64decode("".join(line for line in body.splitlines() if not line.startswith("=")))
