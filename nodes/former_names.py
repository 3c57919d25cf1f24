"""What node programs were called in releases before."""

FORMER_NAMES = {
    "enable": "install-units",
    "enter-cluster": "join-as-server",
    "form-cluster": "bootstrap-server",
    "identify": "write-node-identity",
    "measure": "publish-metrics",
    "publish": "publish-ca-and-oidc",
    "quiesce": "stop-cluster-services",
    "ready": "wait-ready",
    "set-aside": "archive-etcd-data",
    "settle": "wait-until-joined",
    "survey": "gather-facts",
}
"""Present names by those until 2026-11-29. The bundle has a link for each: operations of the release before call them, and people's notes name them."""
