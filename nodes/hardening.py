"""What ``cluster.hardening: cis`` adds to RKE2's configuration; docs/runbooks/cis-hardening.md has the table of controls.

RKE2's profile stops it where the kernel's parameters or etcd's user are not there (``bin/prepare-host`` makes both), gives etcd's data and
certificates to that user at every start, writes its manifests for root alone, and puts network policies into Kubernetes' own namespaces. Read in
rancher/rke2 at the tag of every release of the catalogue: pkg/cli/cmds/profile_linux.go, pkg/rke2/psa.go, np.go and serviceaccount.go, and the
static pods in pkg/podexecutor or, newer, pkg/executor/staticpod.
"""

from typing import Any

from settings.namespaces import EXEMPT

PROFILE = "cis"
"""The name that RKE2 of every line of the catalogue knows. ``cis-1.23``, the older one, is refused from 1.30 on."""

POD_SECURITY_FILE = "/etc/rancher/rke2/pod-security.yaml"
"""In place of the file that RKE2 would write: it exempts the same namespaces, and Rancher's."""

ADMISSION_PLUGINS = ("DenyServiceExternalIPs",)
"""Of the API server, besides those of ``settings/namespaces.py``: nobody takes traffic for an address that is not the cluster's (CIS 1.2.3)."""

API_SERVER = ("service-account-extend-token-expiration=false",)
"""Tokens of pods end after their hour (CIS 1.2.30); newer RKE2 sets it with the profile, older ones do not (docs.rke2.io, hardening guide)."""

AUDIT_FILES = 10
"""How many older audit logs are kept (CIS 1.2.18)."""

POD_PIDS = 4096
"""Processes and threads of one pod at most (CIS 4.2.13); the database's and Rancher's have some hundreds."""


def configuration() -> dict[str, Any]:
    """Of servers and agents."""
    return {"profile": PROFILE}


def server_configuration() -> dict[str, Any]:
    """Of servers."""
    return {"pod-security-admission-config-file": POD_SECURITY_FILE}


def pod_security() -> dict[str, Any]:
    """Admission of pods where a namespace's labels say nothing: ``restricted``, but for the exempt ones (kubernetes.io/docs: Enforce Pod
    Security Standards by Configuring the Built-in Admission Controller; version v1 from Kubernetes 1.25)."""
    levels = dict.fromkeys(("enforce", "audit", "warn"), "restricted")
    versions = {f"{mode}-version": "latest" for mode in levels}
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [
            {
                "name": "PodSecurity",
                "configuration": {
                    "apiVersion": "pod-security.admission.config.k8s.io/v1",
                    "kind": "PodSecurityConfiguration",
                    "defaults": {**levels, **versions},
                    "exemptions": {"usernames": [], "runtimeClasses": [], "namespaces": sorted(EXEMPT)},
                },
            }
        ],
    }
