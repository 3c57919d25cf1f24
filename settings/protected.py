"""What a team cannot have otherwise, and why: keys that the platform's security or its wiring stands on.

Each table maps a key to the reason, and where there is a way, to the setting that is the way.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_SETTINGS = "it comes from the settings"
_ROLE = "its pods take their AWS role by it"
_METADATA = "it would open the node's network to pods, and with it the node's own AWS role"
_SERVERS = "its account reaches Secrets, so it keeps to the servers (docs/decisions/0092-what-an-agent-holds.md)"
_FRONT = "the load balancer asks servers on 443, and takes them by it"

VALUES: Mapping[str, Mapping[str, str]] = {
    "access": {"": "who may do what in the cluster is decided by it; docs/runbooks/access.md"},
    "aws-cloud-controller-manager": {
        "args": "without it nodes stay uninitialised, or its node controller removes a server that is being replaced",
        "hostNetworking": "it runs before there is a pod network",
        "image": "it is of the cluster's minor version; cluster.versions",
        "nodeSelector": "only servers have its AWS rights",
        "tolerations": "it runs on nodes that are not initialised yet",
    },
    "aws-ebs-csi-driver": {
        "controller.env": _ROLE,
        "controller.extraVolumeTags": f"{_SETTINGS}: tags",
        "controller.k8sTagClusterId": "its AWS role reaches only volumes with the cluster's tag",
        "controller.nodeSelector": _SERVERS,
        "controller.tolerations": _SERVERS,
        "controller.affinity": _SERVERS,
        "controller.region": f"{_SETTINGS}: region",
        "controller.volumes": _ROLE,
        "controller.volumeMounts": _ROLE,
        "node.hostNetwork": "it asks the instance metadata service, which answers no pod",
        "node.tolerateAllTaints": "volumes are attached on every node",
        "storageClasses": "volumes are encrypted with the environment's key, and wait for their pod's zone; add a class by extra_manifests",
    },
    "cert-manager": {
        "crds": "certificates would go with them",
        "dns01RecursiveNameservers": "the resolver of a VPC hides records of private zones",
        "dns01RecursiveNameserversOnly": "the resolver of a VPC hides records of private zones",
        "extraEnv": _ROLE,
        "volumes": _ROLE,
        "volumeMounts": _ROLE,
        "affinity": _SERVERS,
        "webhook.affinity": _SERVERS,
        "cainjector.affinity": _SERVERS,
        "startupapicheck.affinity": _SERVERS,
    },
    "cloudnative-pg": {"affinity": _SERVERS, "crds": "databases would go with them"},
    "cluster-autoscaler": {
        "autoDiscovery": "it changes the groups of this cluster and no others",
        "awsRegion": f"{_SETTINGS}: region",
        "cloudProvider": "the cluster is in AWS",
        "extraEnv": _ROLE,
        "extraVolumes": _ROLE,
        "extraVolumeMounts": _ROLE,
        "image.tag": "it is of the cluster's minor version; cluster.versions",
        "nodeSelector": _SERVERS,
        "tolerations": _SERVERS,
        "affinity": _SERVERS,
    },
    "cluster-issuers": {
        "": "it proves the environment's zone to Let's Encrypt, and comes from the settings: application.certificate_issuer"
    },
    "fluent-bit": {
        "daemonSetVolumes": "it reads pods' logs and nothing else of the node",
        "daemonSetVolumeMounts": "it reads pods' logs and nothing else of the node",
        "env": _ROLE,
        "extraVolumes": _ROLE,
        "extraVolumeMounts": _ROLE,
        "hostNetwork": _METADATA,
        "rbac": "it asks the Kubernetes API nothing; with rights, anybody who holds a node would have them",
        "serviceAccount": "AWS trusts it by its name, and it has no token for the Kubernetes API",
        "securityContext": "it is root without a capability: enough to read logs",
    },
    "velero": {
        "affinity": _SERVERS,
        "configuration.backupStorageLocation": "backups go to the environment's own bucket, which its AWS role reaches",
        "configuration.extraEnvVars": _ROLE,
        "credentials": "it has an AWS role, and no key that somebody could read",
        "deployNodeAgent": "its pods would hold the files of every pod of their node",
        "extraObjects": "without its job the namespace would not end; your own objects go into extra_manifests",
        "extraVolumes": _ROLE,
        "extraVolumeMounts": _ROLE,
        "fullnameOverride": "its backups name the schedule by it",
        "nodeSelector": _SERVERS,
        "serviceAccount": "AWS trusts it by its name",
        "tolerations": _SERVERS,
        "upgradeCRDs": "a job with rights over the kinds of the whole cluster",
    },
    "kured": {
        "configuration.rebootDays": f"{_SETTINGS}: patches",
        "configuration.startTime": f"{_SETTINGS}: patches",
        "configuration.endTime": f"{_SETTINGS}: patches",
        "configuration.timeZone": f"{_SETTINGS}: patches",
        "configuration.lockTtl": "a node that does not come back would not stop the restarts of the others",
    },
    "database": {
        "backup.bucket": f"{_SETTINGS}: region, and the environment's name",
        "backup.enabled": "the clinic's data would be lost with their disk",
        "backup.plugin": "it is what the release set's operator knows",
        "backup.region": f"{_SETTINGS}: region",
        "backup.retentionDays": f"{_SETTINGS}: backups.database_days",
        "backup.roleArn": "it takes its AWS role by it",
        "drainBy": "it is what the release set's operator knows",
        "image": f"{_SETTINGS}: cluster.versions, postgresql",
        "instances": f"{_SETTINGS}: application.database_instances",
        "keep": f"{_SETTINGS}: deletion_protection",
        "name": "the application finds its database by it",
        "nodeAffinity": f"{_SETTINGS}: servers.dedicated, and Spot nodes in pools",
        "serverCASecret": "the application trusts the database by it",
        "parameters.max_connections": "the rules count pods by it (settings/rules/workloads.py)",
        "storage.size": f"{_SETTINGS}: application.volume",
        "storage.storageClass": "the clinic's data are encrypted by it",
    },
    "ingress-nginx": {
        "fullnameOverride": "network policies and the release set's other chart know it by this name",
        "controller.allowSnippetAnnotations": "anybody who may write an Ingress could read every Secret",
        "controller.enableAnnotationValidations": "anybody who may write an Ingress could change the controller's configuration",
        "controller.config.use-forwarded-headers": "a visitor could forge their address",
        "controller.config.compute-full-forwarded-for": "a visitor could forge their address",
        "controller.config.enable-real-ip": "limits and logs are by the visitor's address",
        "controller.config.proxy-real-ip-cidr": "a visitor could forge their address",
        "controller.config.hsts": f"{_SETTINGS}: application.hsts_seconds",
        "controller.config.hsts-max-age": f"{_SETTINGS}: application.hsts_seconds",
        "controller.config.hsts-include-subdomains": "the setting is about one host",
        "controller.config.hsts-preload": "the setting is about one host",
        "controller.config.keep-alive": "it must outlast the load balancer; load_balancer.idle_timeout_seconds",
        "controller.config.upstream-keepalive-timeout": "the application would close first (settings/timeouts.py)",
        "controller.extraArgs.publish-status-address": "records of hosts lead to the load balancer",
        "controller.healthCheckPath": _FRONT,
        "controller.livenessProbe.httpGet": _FRONT,
        "controller.readinessProbe.httpGet": _FRONT,
        "controller.hostNetwork": _METADATA,
        "controller.hostPort": _FRONT,
        "controller.ingressClassResource": "every Ingress names the class nginx",
        "controller.kind": _FRONT,
        "controller.nodeSelector": _FRONT,
        "controller.tolerations": _FRONT,
        "controller.proxySetHeaders": "a visitor could say where his request came from",
        "controller.publishService": "there is no Service to publish",
        "controller.service.enabled": "it would build a second load balancer",
    },
    "monitoring": {
        "alertmanager.alertmanagerSpec.affinity": f"{_SETTINGS}: servers.dedicated",
        "alertmanager.alertmanagerSpec.alertmanagerConfiguration": f"{_SETTINGS}: services.monitoring.alerts, with passwords in a Secret of the cluster",
        "alertmanager.config": f"{_SETTINGS}: services.monitoring.alerts; a password there would stand in the state",
        "coreDns.enabled": f"{_SETTINGS}: cluster.hardening",
        "grafana.admin": "its first password is made in the cluster, where no state sees it",
        "grafana.adminPassword": "it would stand in the state; the first password is made in the cluster (docs/runbooks/monitoring.md)",
        "grafana.affinity": f"{_SETTINGS}: servers.dedicated",
        "grafana.env": "its first password comes by it",
        "grafana.extraSecretMounts": "its first password comes by it",
        "grafana.grafana.ini.auth.anonymous": "everybody who finds the host would see the clinic",
        "grafana.grafana.ini.server.root_url": f"{_SETTINGS}: hosts.grafana",
        "grafana.ingress": f"{_SETTINGS}: hosts.grafana, and access.rancher.allowed_cidrs",
        "grafana.rbac.namespaced": "its account would read every Secret of the cluster",
        "kube-state-metrics.affinity": f"{_SETTINGS}: servers.dedicated",
        "kube-state-metrics.collectors": "with secrets among them its account would read every one",
        "kubeControllerManager.enabled": f"{_SETTINGS}: cluster.hardening",
        "kubeControllerManager.endpoints": f"{_SETTINGS}: the servers' addresses",
        "kubeScheduler.enabled": f"{_SETTINGS}: cluster.hardening",
        "kubeScheduler.endpoints": f"{_SETTINGS}: the servers' addresses",
        "prometheus-node-exporter.hostNetwork": _METADATA,
        "prometheus.prometheusSpec.affinity": f"{_SETTINGS}: servers.dedicated",
        "prometheus.prometheusSpec.hostNetwork": _METADATA,
        "prometheus.prometheusSpec.retention": f"{_SETTINGS}: services.monitoring.retention_days",
        "prometheus.prometheusSpec.retentionSize": f"{_SETTINGS}: services.monitoring.volume",
        "prometheus.prometheusSpec.storageSpec": f"{_SETTINGS}: services.monitoring.volume",
        "prometheusOperator.affinity": _SERVERS,
        "prometheusOperator.hostNetwork": _METADATA,
        "prometheusOperator.nodeSelector": _SERVERS,
        "prometheusOperator.tolerations": _SERVERS,
    },
    "monitoring-crds": {"": "they are the operator's, and come and go with it"},
    "plugin-barman-cloud": {"affinity": _SERVERS, "crds": "backups would go with them"},
    "rancher": {
        "bootstrapPassword": "it would stand in the state; Rancher's first password is made in the cluster (docs/runbooks/rancher.md)",
        "extraEnv": "the first password comes by it; other variables by `proxy` and `noProxy`, or a value of their own",
        "hostname": f"{_SETTINGS}: hosts.rancher",
        "ingress.extraAnnotations": f"{_SETTINGS}: access.rancher.allowed_cidrs",
        "ingress.ingressClassName": "there is one ingress controller, of the class nginx",
        "replicas": f"{_SETTINGS}: rancher.replicas",
        "tls": "the load balancer ends TLS",
    },
    "traefik": {
        "additionalArguments": _FRONT,
        "deployment.healthchecksPort": _FRONT,
        "deployment.healthchecksScheme": _FRONT,
        "deployment.kind": _FRONT,
        "deployment.podLabels": "network policies know it by them",
        "extraObjects": "every Ingress names the class nginx",
        "fullnameOverride": "the controller is known by this name",
        "hostNetwork": _METADATA,
        "nodeSelector": _FRONT,
        "tolerations": _FRONT,
        "ports.web": _FRONT,
        "ports.websecure": "a visitor could forge their address, or use a port that the load balancer does not use",
        "providers": "every Ingress names the class nginx, and snippets would open every Secret",
        "service": "it would build a second load balancer",
        "ingressRoute": "it would show the controller's own pages",
        "api": "it would show the controller's own pages",
    },
    "volume-guard": {"": "a destroy waits by it until no disk is left"},
    "vet-app-secret": {"": "the application's keys are made by it"},
    "rancher-password": {"": "Rancher's first password is made by it"},
    "clinic-monitoring": {"": f"{_SETTINGS}: services.monitoring; add what to watch by extra_manifests"},
    "grafana-password": {"": "Grafana's first password is made by it"},
}
"""Values of releases, by release and key; the key ``""`` is all of the release."""

_TOKENS = "servers make the tokens and keep them in Secrets Manager"
_BOOT = "a node decides it when it boots"
_WHOLE = "every server runs the whole control plane"
_SNAPSHOTS = "cluster.snapshots is the setting"
_CLOUD = "the AWS cloud controller names nodes and removes their first taint"
_PULL = "images of the account's own registry are pulled by it"

RKE2_KEYS: Mapping[str, str] = {
    "advertise-address": "servers know each other by fixed addresses",
    "agent-token": _TOKENS,
    "agent-token-file": _TOKENS,
    "audit-policy-file": "the audit log says who read which Secret; nodes/audit_policy.py is the place",
    "bind-address": "the load balancer and the other servers ask each of a server's addresses",
    "cloud-provider-config": _CLOUD,
    "cloud-provider-name": _CLOUD,
    "cluster-cidr": "cluster.pod_cidr is the setting",
    "cluster-dns": "cluster.service_cidr decides it",
    "cluster-domain": "names in the cluster end with cluster.local",
    "cluster-reset": "make restore does it",
    "cluster-reset-restore-path": "make restore does it",
    "cni": "cluster.cni is the setting",
    "config": "the platform writes the file",
    "data-dir": "a server's volume holds it",
    "disable-agent": _WHOLE,
    "disable-apiserver": _WHOLE,
    "disable-cloud-controller": _CLOUD,
    "disable-controller-manager": _WHOLE,
    "disable-etcd": _WHOLE,
    "disable-scheduler": _WHOLE,
    "etcd-disable-snapshots": _SNAPSHOTS,
    "etcd-expose-metrics": "they are plain HTTP on every server's address, for anybody who reaches it; services.monitoring has them without",
    "image-credential-provider-bin-dir": _PULL,
    "image-credential-provider-config": _PULL,
    "node-ip": _BOOT,
    "node-name": _BOOT,
    "private-registry": "registries is the setting",
    "pod-security-admission-config-file": "cluster.hardening is the setting, and namespaces say what their own pods may",
    "profile": "cluster.hardening is the setting: it brings the users and kernel parameters that the profile asks for",
    "protect-kernel-defaults": "nodes have the parameters that it asks for",
    "secrets-encryption": "Secrets are encrypted in etcd",
    "server": _BOOT,
    "service-cidr": "cluster.service_cidr is the setting",
    "token": _TOKENS,
    "token-file": _TOKENS,
    "with-node-id": "the AWS cloud controller looks for the node by its private name",
    "write-kubeconfig": "credentials are in Secrets Manager (docs/runbooks/access.md)",
    "write-kubeconfig-group": "credentials are in Secrets Manager (docs/runbooks/access.md)",
    "write-kubeconfig-mode": "credentials are in Secrets Manager (docs/runbooks/access.md)",
}
"""Keys of RKE2's configuration that the platform writes or that would undo what it does."""

RKE2_PREFIXES: Mapping[str, str] = {"etcd-s3": _SNAPSHOTS, "etcd-snapshot": _SNAPSHOTS}
"""The same for all keys that begin so."""

ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "kube-apiserver-arg": {
        "anonymous-auth": "RKE2 sets it",
        "api-audiences": "AWS trusts pods by it",
        "audit-": "the audit log says who read which Secret",
        "authentication-config": "access.identity is the setting",
        "authorization-mode": "RKE2 sets it",
        "enable-admission-plugins": "the annotations of namespaces need the platform's (settings/namespaces.py)",
        "disable-admission-plugins": "the annotations of namespaces need the platform's (settings/namespaces.py)",
        "oidc-": "access.identity is the setting; beside it the API server would not start",
        "service-account-": "AWS trusts pods by it",
    },
    "kube-controller-manager-arg": {"bind-address": "services.monitoring opens it"},
    "kube-scheduler-arg": {"bind-address": "services.monitoring opens it"},
    "kubelet-arg": {
        "cloud-provider": _CLOUD,
        "config": "the file ends pods before a node goes down; nodes/rke2.py writes it",
        "hostname-override": _BOOT,
        "node-ip": _BOOT,
        "provider-id": _BOOT,
    },
}
"""Arguments in RKE2's lists, by their beginning."""

ATTRIBUTES: Mapping[str, str] = {
    "connection": "it reaches into a machine during an apply",
    "count": "every address in the state would be another one",
    "for_each": "every address in the state would be another one",
    "lifecycle.prevent_destroy": "deletion_protection is the setting",
    "provider": "the state knows the resource by its provider",
    "provisioner": "it runs a command during an apply; extra_user_data is for nodes",
}
"""Attributes of resources in Terraform."""


def protected(table: Mapping[str, str], path: str) -> tuple[str, str] | None:
    """The key of the table that setting ``path`` would change, and its reason; None if there is none.

    A path within a protected key changes it, and so does one around it that is not a map.
    """
    for key, reason in table.items():
        if key in ("", path) or path.startswith(f"{key}.") or key.startswith(f"{path}."):
            return key, reason
    return None


def leaves(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of what a map sets: of everything in it that is no map, and of empty maps."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)
