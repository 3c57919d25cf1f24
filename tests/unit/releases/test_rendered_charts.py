"""The charts of others, rendered with our values, do what the platform relies on."""

import pytest
import yaml

from modules.platform.vet_application.network_policies import policies
from settings import load
from settings.namespaces import DEDICATED_TAINT, namespaces
from settings.release_sets import SETS
from tests.unit.releases.samples import NAMESPACES, REGION, ROLE, Render, containers, installed, kinds, one, pods

BOTH = [(set_name, environment) for set_name in SETS for environment in ("dev", "prod")]
each = pytest.mark.parametrize(("set_name", "environment"), BOTH)

ON_THE_HOSTS_NETWORK = {"aws-cloud-controller-manager", "ebs-csi-node"}
"""The only pods that may be there: one runs before there is a pod network, one asks for the instance's metadata."""

WITHOUT_A_KEY_FOR_RESOURCES = {"rancher-audit-log", "rancher-post-delete", "rancher-pre-upgrade"}
"""Containers of Rancher whose resources the chart leaves no room for: their namespace's LimitRange gives them."""


@each
def test_images_have_versions(render: Render, set_name: str, environment: str) -> None:
    for release in installed(set_name):
        for name, pod in pods(render(release, set_name, environment)).items():
            for container in containers(pod):
                image, _, digest = container["image"].partition("@")
                version = image.rpartition("/")[2].partition(":")[2]
                assert digest or version not in {"", "latest"}, f"{release}: {name} runs {container['image']}"
                assert "-prime" not in version, (
                    f"{release}: {name} runs {container['image']}, which SUSE's customers alone can fetch"
                )


@each
def test_every_container_has_requests_and_limits(render: Render, set_name: str, environment: str) -> None:
    for release in installed(set_name):
        ours = NAMESPACES[release] in namespaces("vet-app")  # with a LimitRange that has all three
        for name, pod in pods(render(release, set_name, environment)).items():
            for container in containers(pod):
                resources = container.get("resources") or {}
                missing = [
                    f"{kind}.{of}"
                    for kind in ("requests", "limits")
                    for of in ("cpu", "memory", "ephemeral-storage")
                    if of not in resources.get(kind, {}) and not (of == "ephemeral-storage" and ours)
                ]
                if container["name"] in WITHOUT_A_KEY_FOR_RESOURCES:
                    continue
                assert not missing, f"{release}: {name}/{container['name']} lacks {missing}"


ROOT = {
    "aws-cloud-controller-manager",
    "ebs-csi-node",
    "kured",
    "rancher",
    "rancher-post-delete",
    "rancher-pre-upgrade",
}
"""Pods that run as root, or in its group: the images of Rancher and of the cloud controller know nothing else, one mounts
volumes, and one restarts its node (docs/decisions/0122-restarts-for-updates.md)."""

OF_THE_IMAGE = {("documented", "ingress-nginx")}
"""Charts that take no group, of images that have their user in a group of its own (kubernetes/ingress-nginx@controller-v1.11.8
images/nginx/rootfs/Dockerfile: user 101 in the group www-data)."""


@each
def test_nothing_else_is_in_root_s_group(render: Render, set_name: str, environment: str) -> None:
    """A container without a group gets the image's, which is root's where the image names a user alone (Dockerfile reference: USER)."""
    for release in installed(set_name):
        if (set_name, release) in OF_THE_IMAGE:
            continue
        for name, pod in pods(render(release, set_name, environment)).items():
            for container in containers(pod):
                both = {**(pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
                assert name in ROOT or both.get("runAsGroup"), (
                    f"{release}: {name}/{container['name']} has no group: {both}"
                )


@each
def test_nothing_else_is_on_the_hosts_network(render: Render, set_name: str, environment: str) -> None:
    """With a hop limit of 1 nothing else reaches the instance metadata, and so a node's role."""
    names = {
        name
        for release in installed(set_name)
        for name, pod in pods(render(release, set_name, environment)).items()
        if pod.get("hostNetwork")
    }
    assert names == ON_THE_HOSTS_NETWORK


@each
def test_no_load_balancer_is_made_behind_terraforms_back(render: Render, set_name: str, environment: str) -> None:
    for release in installed(set_name):
        for manifest in render(release, set_name, environment):
            if manifest["kind"] == "Service":
                assert manifest["spec"].get("type", "ClusterIP") == "ClusterIP", manifest["metadata"]["name"]


@each
def test_ingress_controller_is_on_every_server_by_host_port(render: Render, set_name: str, environment: str) -> None:
    manifests = render("ingress-nginx", set_name, environment)
    pod = one(manifests, "DaemonSet", "ingress-nginx-controller")["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["node-role.kubernetes.io/control-plane"] == "true"
    assert {"key": DEDICATED_TAINT, "operator": "Exists"} in pod["tolerations"]
    ports = {port["containerPort"]: port.get("hostPort") for port in pod["containers"][0]["ports"]}
    assert (ports[80], ports[443]) == (80, 443)
    assert set(ports.values()) == {80, 443, None}, f"more ports of the host are open: {ports}"
    ingress_class = one(manifests, "IngressClass", "nginx")
    assert ingress_class["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"] == "true"


@each
def test_ping_is_answered_by_the_ingress_controller_itself(render: Render, set_name: str, environment: str) -> None:
    """architecture.txt: "Health checks: HTTPS to `/ping`"."""
    pod = pods(render("ingress-nginx", set_name, environment))["ingress-nginx-controller"]
    controller = pod["containers"][0]
    assert "--health-check-path=/ping" in controller["args"]
    assert controller["livenessProbe"]["httpGet"]["path"] == "/ping"
    assert controller["readinessProbe"]["httpGet"]["path"] == "/ping"


@each
def test_forwarded_headers_of_a_visitor_are_replaced(render: Render, set_name: str, environment: str) -> None:
    """The load balancer hands a visitor's X-Forwarded-Host on, and where the controller believes forwarded headers it is what the
    application and Rancher get as Host (ingress-nginx 1.11.8 and 1.15.1: rootfs/etc/nginx/lua/lua_ingress.lua, rewrite). Otherwise it
    sets Host, X-Forwarded-Host, -Port, -Proto and -Scheme from the connection itself, and X-Forwarded-For from the real address."""
    manifests = render("ingress-nginx", set_name, environment)
    data = one(manifests, "ConfigMap", "ingress-nginx-controller")["data"]
    assert all(isinstance(value, str) for value in data.values()), data
    assert (data["use-forwarded-headers"], data["compute-full-forwarded-for"]) == ("false", "false")
    assert data["enable-real-ip"] == "true", "every visitor would have the load balancer's address"
    assert data["proxy-real-ip-cidr"] == "10.0.1.0/24,10.0.2.0/24"
    assert data.get("allow-snippet-annotations", "false") == "false"
    namespace, _, name = data["proxy-set-headers"].partition("/")
    taken_away = one(manifests, "ConfigMap", name)
    assert namespace == taken_away["metadata"]["namespace"]
    assert taken_away["data"] == dict.fromkeys(TAKEN_AWAY, ""), "nginx leaves out a header whose value is empty"
    args = pods(manifests)["ingress-nginx-controller"]["containers"][0]["args"]
    assert "--publish-status-address=alb.example.com" in args


TAKEN_AWAY = ("Forwarded", "X-API-Host", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Url-Scheme")
"""What a proxy may say besides; Rancher takes its own address from X-API-Host (rancher: pkg/auth/util/common_util.go)."""


@each
def test_browsers_are_told_of_https_for_as_long_as_the_setting_says(
    render: Render, set_name: str, environment: str
) -> None:
    """The controller puts its own header over the application's: a year and all subdomains, unless its settings say otherwise
    (ingress-nginx: user guide, ConfigMap, `hsts`). The header is asserted where the controller reads it."""
    data = one(render("ingress-nginx", set_name, environment), "ConfigMap", "ingress-nginx-controller")["data"]
    settings = {key: value for key, value in data.items() if key.startswith("hsts")}
    assert settings == {
        "hsts": "true",
        "hsts-max-age": "86400",
        "hsts-include-subdomains": "false",
        "hsts-preload": "false",
    }, f"clients would see another Strict-Transport-Security: {settings}"


@each
def test_rancher_is_behind_the_load_balancers_tls(render: Render, set_name: str, environment: str) -> None:
    """architecture.txt: "Replicas: 1 (dev) / 3 (prod)", "SSL/TLS termination" at the load balancer."""
    manifests = render("rancher", set_name, environment)
    deployment = one(manifests, "Deployment", "rancher")["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["replicas"] == {"dev": 1, "prod": 3}[environment]
    assert "--no-cacerts" in pod["containers"][0]["args"]
    ingress = one(manifests, "Ingress", "rancher")
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert "tls" not in ingress["spec"]
    assert ingress["spec"]["rules"][0]["host"] == "rancher.example.com"
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "1800"
    assert "PodSecurityPolicy" not in kinds(manifests)
    rule = "requiredDuringScheduling" if environment == "prod" else "preferredDuringScheduling"
    assert f"{rule}IgnoredDuringExecution" in pod["affinity"]["podAntiAffinity"]


@each
def test_rancher_has_no_password_and_an_audit_log(render: Render, set_name: str, environment: str) -> None:
    manifests = render("rancher", set_name, environment)
    assert "Secret" not in kinds(manifests), "the bootstrap password would be in the release"
    pod = pods(manifests)["rancher"]
    assert [container["name"] for container in pod["containers"]] == ["rancher", "rancher-audit-log"]
    environment_variables = {variable["name"]: variable.get("value") for variable in pod["containers"][0]["env"]}
    assert environment_variables["AUDIT_LEVEL"] == "1"
    (password,) = (each for each in pod["containers"][0]["env"] if each["name"] == "CATTLE_BOOTSTRAP_PASSWORD")
    source = {"name": "rancher-password", "key": "bootstrapPassword", "optional": True}
    assert password == {"name": "CATTLE_BOOTSTRAP_PASSWORD", "valueFrom": {"secretKeyRef": source}}


@each
def test_storage_class_standard(render: Render, set_name: str, environment: str) -> None:
    """architecture.txt: "StorageClass: standard (AWS EBS)", "Encrypted EBS volumes"."""
    manifests = render("aws-ebs-csi-driver", set_name, environment)
    standard = one(manifests, "StorageClass", "standard")
    assert standard["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert standard["parameters"]["type"] == "gp3"
    assert standard["parameters"]["encrypted"] == "true"
    assert standard["volumeBindingMode"] == "WaitForFirstConsumer"
    assert standard["allowVolumeExpansion"] is True
    assert [m["metadata"]["name"] for m in manifests if m["kind"] == "StorageClass"] == ["standard"]
    node = pods(manifests)["ebs-csi-node"]
    assert {"operator": "Exists"} in node["tolerations"], "volumes are attached on every node"


@each
@pytest.mark.parametrize(
    ("release", "pod", "container", "account"),
    [
        ("aws-ebs-csi-driver", "ebs-csi-controller", "ebs-plugin", "ebs-csi-controller-sa"),
        ("cert-manager", "cert-manager", "cert-manager-controller", "cert-manager"),
        ("cluster-autoscaler", "cluster-autoscaler", "aws-cluster-autoscaler", "cluster-autoscaler"),
    ],
)
def test_controllers_have_their_own_aws_role(
    render: Render, set_name: str, environment: str, release: str, pod: str, container: str, account: str
) -> None:
    spec = pods(render(release, set_name, environment))[pod]
    assert spec["serviceAccountName"] == account
    block = next(c for c in spec["containers"] if c["name"] == container)
    variables = {variable["name"]: variable.get("value") for variable in block["env"]}
    assert variables["AWS_ROLE_ARN"] == ROLE
    assert variables["AWS_REGION"] == REGION
    token = variables["AWS_WEB_IDENTITY_TOKEN_FILE"]
    mount = next(m for m in block["volumeMounts"] if token and token.startswith(m["mountPath"]))
    volume = next(v for v in spec["volumes"] if v["name"] == mount["name"])
    source = volume["projected"]["sources"][0]["serviceAccountToken"]
    assert source["audience"] == "sts.amazonaws.com"
    assert f"{mount['mountPath']}/{source['path']}" == token


@each
def test_cloud_controller_leaves_nodes_alone(render: Render, set_name: str, environment: str) -> None:
    """Its node-lifecycle controller would delete the Node of a server that is being replaced, and its etcd member."""
    pod = pods(render("aws-cloud-controller-manager", set_name, environment))["aws-cloud-controller-manager"]
    controllers = next(arg for arg in pod["containers"][0]["args"] if arg.startswith("--controllers="))
    assert "-cloud-node-lifecycle" in controllers.removeprefix("--controllers=").split(",")
    assert pod["nodeSelector"] == {"node-role.kubernetes.io/control-plane": "true"}
    for key in (DEDICATED_TAINT, "node.cloudprovider.kubernetes.io/uninitialized"):
        assert {"key": key, "operator": "Exists"} in pod["tolerations"]


@pytest.mark.parametrize("set_name", SETS)
def test_in_dev_only_what_must_be_is_on_the_small_server(render: Render, set_name: str) -> None:
    """Rancher is kept off it by its memory request (test_sizing), its chart having no key for that."""
    wanted = {"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}
    for release in set(installed(set_name)) - {"rancher"}:
        for manifest in render(release, set_name, "dev"):
            if manifest["kind"] == "Deployment":
                affinity = manifest["spec"]["template"]["spec"].get("affinity") or {}
                terms = affinity.get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
                expressions = [e for term in terms.get("nodeSelectorTerms", []) for e in term["matchExpressions"]]
                assert wanted in expressions, f"{release}: {manifest['metadata']['name']} may run on the server"


RESTRICTED = ("cert-manager", "cloudnative-pg", "plugin-barman-cloud")
"""Releases whose namespaces enforce the restricted level."""


@pytest.mark.parametrize(
    ("set_name", "environment", "release"), [(*both, r) for both in BOTH for r in RESTRICTED if r in installed(both[0])]
)
def test_pods_keep_to_the_restricted_level(render: Render, set_name: str, environment: str, release: str) -> None:
    """kubernetes.io, Pod Security Standards, restricted: what its namespace enforces."""
    for name, pod in pods(render(release, set_name, environment)).items():
        whole = pod.get("securityContext") or {}
        for container in containers(pod):
            where = f"{release}: {name}/{container['name']}"
            own = container.get("securityContext") or {}
            assert own.get("allowPrivilegeEscalation") is False, where
            assert own.get("runAsNonRoot", whole.get("runAsNonRoot")) is True, where
            assert own["capabilities"]["drop"] == ["ALL"], where
            assert own.get("seccompProfile", whole.get("seccompProfile")) == {"type": "RuntimeDefault"}, where
            assert not any(port.get("hostPort") for port in container.get("ports", [])), where
        assert not pod.get("hostNetwork"), name
        assert not any("hostPath" in volume for volume in pod.get("volumes", [])), name


@each
def test_network_policies_name_pods_by_labels_that_the_charts_give(
    render: Render, set_name: str, environment: str
) -> None:
    settings = load().environment(environment)
    peers = [
        (
            peer["namespace_selector"]["match_labels"]["kubernetes.io/metadata.name"],
            peer["pod_selector"]["match_labels"],
        )
        for policy in policies(settings).values()
        for listed, _ in policy.receive
        for peer in listed
        if "namespace_selector" in peer
    ]
    for release, kind in (("ingress-nginx", "DaemonSet"), ("traefik", "DaemonSet"), ("cloudnative-pg", "Deployment")):
        (labels,) = [
            manifest["spec"]["template"]["metadata"]["labels"]
            for manifest in render(release, set_name, environment)
            if manifest["kind"] == kind
        ]
        wanted = [selector for namespace, selector in peers if namespace == NAMESPACES[release]]
        assert wanted, f"no policy lets {release} in"
        for selector in wanted:
            assert selector.items() <= labels.items(), (
                f"{release} in {set_name}: pods have {labels}, policies name {selector}"
            )


@each
def test_fleet_s_controllers_are_put_on_dedicated_servers_where_rancher_can_be_told(
    render: Render, set_name: str, environment: str
) -> None:
    """Rancher installs Fleet's chart with what its ConfigMap ``rancher-config`` says (pkg/controllers/dashboard/chart/chart.go)."""
    text = one(render("rancher", set_name, environment), "ConfigMap", "rancher-config")["data"].get("fleet", "{}")
    values = yaml.safe_load(text)
    if set_name == "documented" or environment == "dev":
        assert values == {}
    else:
        assert values["nodeSelector"] == {"node-role.kubernetes.io/control-plane": "true"}
        assert [each["key"] for each in values["tolerations"]] == ["CriticalAddonsOnly"]
