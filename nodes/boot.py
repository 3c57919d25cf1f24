"""The seam between Terraform and the nodes: what a node is told at boot, and the bundle of programs that it fetches.

User data is a thin cloud-config: it writes ``/etc/vet/node.env`` (names and addresses, never a secret) and starts a loader, which
fetches the bundle from the environment's bucket by the instance's role, checks its SHA-256 and hands over to it. So user data stays
small (EC2 allows 16 KiB), and what the nodes run is versioned with the Terraform that creates them.
"""

import gzip
import hashlib
import io
import tarfile
from base64 import b64encode
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import yaml

PROGRAMS = Path(__file__).parent / "bin"
LOADER = Path(__file__).parent / "loader.sh"


@dataclass(frozen=True)
class ClusterInputs:
    """What every node of a cluster knows at boot. Values may be Terraform references: they are placed, never parsed."""

    cluster: str
    """Cluster name, such as ``vet-dev``; also the value that names the cluster in AWS tags."""

    region: str
    """AWS region."""

    account_id: str
    """AWS account, 12 digits."""

    vpc_id: str
    """The VPC; part of the initialisation marker's key, so that an environment created anew starts clean."""

    api_host: str
    """DNS name of the network load balancer for 6443 (people, Helm) and 9345 (agents)."""

    server_addresses: str
    """Fixed private addresses of all servers, slot 0 first, separated by blanks."""

    nodes_bucket: str
    """Bucket with the bundle (``nodes/``) and the initialisation marker (``marker/``)."""

    snapshots_bucket: str
    """Bucket for etcd snapshots."""

    issuer_bucket: str
    """Public bucket for the service-account issuer's two documents."""

    issuer_url: str
    """The issuer: ``https://`` and the bucket's host name."""

    server_token_secret: str
    """Name of the secret with the servers' join token; empty until server 0 fills it."""

    agent_token_secret: str
    """Name of the secret with the agents' join token; empty until server 0 fills it."""

    credentials_secret_prefix: str
    """The secrets ``<prefix>/admin``, ``/deploy`` and ``/read`` hold ExecCredential documents, kept fresh by the servers."""

    ca_parameter: str
    """Parameter for the cluster's CA certificate; Terraform creates it as ``pending``."""


@dataclass(frozen=True)
class Bundle:
    """The programs of ``bin/`` as one reproducible archive."""

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
        for path in sorted(PROGRAMS.rglob("*")):
            info = tarfile.TarInfo(path.relative_to(PROGRAMS).as_posix())
            if path.is_file():
                info.mode, info.size = 0o755, path.stat().st_size
                tar.addfile(info, io.BytesIO(path.read_bytes()))
    return Bundle(buffer.getvalue())


def server_user_data(inputs: ClusterInputs, *, slot: int, data_volume_id: str) -> str:
    """User data of the server in ``slot``, whose retained data volume is ``data_volume_id``."""
    return _user_data(inputs, {"ROLE": "server", "SLOT": str(slot), "DATA_VOLUME_ID": data_volume_id})


def agent_user_data(inputs: ClusterInputs) -> str:
    """User data of every agent."""
    return _user_data(inputs, {"ROLE": "agent"})


def _user_data(inputs: ClusterInputs, node: dict[str, str]) -> str:
    shared = {name.upper(): value for name, value in asdict(inputs).items()}
    programs = {"BUNDLE_KEY": bundle().key, "BUNDLE_SHA256": bundle().sha256}
    facts = "".join(f"{name}='{value}'\n" for name, value in sorted({**shared, **programs, **node}.items()))
    document = {
        "write_files": [
            {"path": "/etc/vet/node.env", "permissions": "0644", "content": facts},
            {"path": "/usr/local/lib/vet/loader.sh", "permissions": "0755", "content": LOADER.read_text()},
        ],
        "runcmd": [["/usr/local/lib/vet/loader.sh"]],
    }
    return "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False, width=4096)
