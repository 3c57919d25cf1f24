"""How the API server knows people by their own AWS identity: tokens that AWS signs for an identity that asks (STS, GetWebIdentityToken).

From Kubernetes 1.30 on by its configuration of authentication, which also names who of IAM Identity Center is behind a role; before by its flags for
OpenID Connect, which know the top level of a token alone (kubernetes.io/docs, Authenticating; ``StructuredAuthenticationConfiguration`` in
k8s.io/apiserver pkg/features: on by default from 1.30, v1 from 1.34). Accounts of pods and the servers' own certificates go on next to it.
"""

from typing import Any

from nodes.inputs import ClusterInputs
from settings.principals import PREFIX

FILE = "/etc/rancher/rke2/authentication.yaml"
"""RKE2 mounts what an argument of the API server names into its pod."""

STRUCTURED_FROM, STABLE_FROM = (1, 30), (1, 34)
"""Kubernetes that reads the file, and that has the stable version of it."""

PERSON = """\
"https://sts.amazonaws.com/" in claims && "identity_store_user_id" in claims["https://sts.amazonaws.com/"] \
? "/" + string(claims["https://sts.amazonaws.com/"]["identity_store_user_id"]) : "\""""
"""In CEL: who of IAM Identity Center holds the role, if it is somebody of there."""


def audience(cluster: str) -> str:
    """Whom tokens are for: one cluster's are nothing to another."""
    return f"kubernetes/{cluster}"


def arguments(inputs: ClusterInputs) -> list[str]:
    """Of the API server."""
    if not inputs.identity_issuer:
        return []
    if _minor(inputs) >= STRUCTURED_FROM:
        return [f"authentication-config={FILE}"]
    return [
        f"oidc-issuer-url={inputs.identity_issuer}",
        f"oidc-client-id={audience(inputs.cluster)}",
        "oidc-username-claim=sub",
        f"oidc-username-prefix={PREFIX}",
        "oidc-groups-claim=sub",
        f"oidc-groups-prefix={PREFIX}",
    ]


def configuration(inputs: ClusterInputs) -> dict[str, Any] | None:
    """What :data:`FILE` holds, or None where the API server has flags instead, or nothing to know."""
    minor = _minor(inputs)
    if not inputs.identity_issuer or minor < STRUCTURED_FROM:
        return None
    return {
        "apiVersion": f"apiserver.config.k8s.io/{'v1' if minor >= STABLE_FROM else 'v1beta1'}",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {
                "issuer": {"url": inputs.identity_issuer, "audiences": [audience(inputs.cluster)]},
                "claimMappings": {
                    "username": {"expression": f'"{PREFIX}" + claims.sub + ({PERSON})'},
                    "groups": {"expression": f'["{PREFIX}" + claims.sub]'},
                },
            }
        ],
    }


def _minor(inputs: ClusterInputs) -> tuple[int, int]:
    major, minor, _ = inputs.release.kubectl.removeprefix("v").split(".", 2)
    return int(major), int(minor)
