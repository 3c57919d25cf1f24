"""The application's objects, line by line of docs/architecture.txt's section 5 and its data flow."""

import json
import re

import pytest
from cdktf import Testing
from cdktf_cdktf_provider_kubernetes.deployment_v1 import DeploymentV1
from cdktf_cdktf_provider_kubernetes.ingress_v1 import IngressV1
from cdktf_cdktf_provider_kubernetes.service_v1 import ServiceV1

from settings.workloads import Resources
from tests.template import Block, Template
from tests.unit.platform.vet_application.conftest import IMAGE, Synthesise

SECRET_NAME = re.compile("SECRET|PASSWORD|TOKEN|EMAIL_URL")
"""Of the application's variables that are secret."""

DIGEST = f"sha256:{'ab' * 32}"


def pod(template: Template, type_: str = "kubernetes_deployment_v1") -> Block:
    spec: Block = template.one(type_)["spec"]
    spec = spec.get("job_template", {}).get("spec", spec)
    pod_spec: Block = spec["template"]["spec"]
    return pod_spec


def container(template: Template, type_: str = "kubernetes_deployment_v1") -> Block:
    (block,) = pod(template, type_)["container"]
    return dict(block)


def variables(template: Template) -> dict[str, str]:
    values: dict[str, str] = template.one("kubernetes_config_map_v1")["data"]
    return values


def release(template: Template) -> str:
    return str(template.one("kubernetes_deployment_v1")["spec"]["template"]["metadata"]["labels"]["release"])


@pytest.fixture(params=["dev", "prod"])
def application(request: pytest.FixtureRequest) -> Template:
    """The application of each environment in turn."""
    template: Template = request.getfixturevalue(request.param)
    return template


def test_everything_is_in_the_application_s_namespace(with_email: Template) -> None:
    """ "Namespace: `vet-app`" """
    for type_, path, block in with_email.every_resource():
        assert block["metadata"]["namespace"] == "vet-app", f"{type_} {path}"


def test_two_replicas_that_can_be_scaled(dev: Template, prod: Template) -> None:
    """ "Replicas: 2 (scalable)" """
    assert Testing.to_have_resource(dev.text, DeploymentV1.TF_RESOURCE_TYPE)
    assert prod.one("kubernetes_deployment_v1")["spec"]["replicas"] == "2"
    assert dev.one("kubernetes_deployment_v1")["spec"]["replicas"].endswith(' : "2", "2")}'), "a first deploy makes two"
    assert not dev.resources("kubernetes_horizontal_pod_autoscaler_v2"), "dev has always as many"
    scaler = prod.one("kubernetes_horizontal_pod_autoscaler_v2")["spec"]
    assert (scaler["min_replicas"], scaler["max_replicas"]) == (2, 6)
    assert scaler["scale_target_ref"]["name"] == prod.one("kubernetes_deployment_v1")["metadata"]["name"]


def test_the_autoscaler_s_number_of_pods_is_not_taken_back(dev: Template, prod: Template) -> None:
    ignored = {t.name: t.one("kubernetes_deployment_v1")["lifecycle"]["ignore_changes"] for t in (dev, prod)}
    assert "spec[0].replicas" in ignored["vet-prod-helm"]
    assert "spec[0].replicas" not in ignored["vet-dev-helm"], "the setting would not reach it"
    for mark in ("kubectl.kubernetes.io/restartedAt", "cattle.io/timestamp"):
        assert all(mark in str(names) for names in ignored.values()), f"a restart of pods would be undone: {mark}"


def test_a_number_of_pods_given_by_hand_is_asked_for_where_nothing_scales(dev: Template, prod: Template) -> None:
    """What the expression does with the answer is seen on an API server (tests/platform/test_application.py)."""
    (asked,) = dev.document["data"]["kubernetes_resources"].values()
    web = dev.one("kubernetes_deployment_v1")["metadata"]
    assert (asked["api_version"], asked["kind"]) == ("apps/v1", "Deployment")
    assert asked["namespace"] == web["namespace"]
    assert asked["field_selector"] == f"metadata.name={web['name']}"
    assert "depends_on" not in asked, "a plan could not tell the number before what it waits for"
    assert web["annotations"] == {"settings/application.replicas": "2"}
    assert "kubernetes_resources" not in prod.document["data"], "the autoscaler decides"
    assert prod.one("kubernetes_deployment_v1")["metadata"]["annotations"] == {
        "settings/application.replicas": "at least 2"
    }


def test_the_image_is_the_environment_s_own_by_digest(application: Template, synthesise: Synthesise) -> None:
    """ "Container: Python 3.9 with vet_app code" """
    (image,) = application.document["data"]["aws_ecr_image"].values()
    name = application.name.removesuffix("-helm")
    assert (image["repository_name"], image["image_tag"]) == (f"{name}/vet-app", IMAGE)
    for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1"):
        reference = container(application, type_)["image"]
        assert reference.endswith(".image_uri}"), f"{type_} runs {reference}, not the digest that was found"
    (by_digest,) = synthesise("dev", image=DIGEST).document["data"]["aws_ecr_image"].values()
    assert by_digest["image_digest"] == DIGEST
    assert "image_tag" not in by_digest


def test_a_missing_image_tells_what_to_run(synthesise: Synthesise) -> None:
    """The provider names only the data source, see image.py; nothing is pushed under the tag that stands for none."""
    (name,) = synthesise("prod", image=None).document["data"]["aws_ecr_image"]
    assert "make_push_ENV_prod" in name


def test_requests_and_limits(application: Template) -> None:
    """ "Requests: 100m CPU, 128Mi memory", "Limits: 200m CPU, 256Mi memory" """
    for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1"):
        assert container(application, type_)["resources"] == {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "200m", "memory": "256Mi"},
        }


def test_resources_are_settings(synthesise: Synthesise) -> None:
    """ "Increase pod resource limits" """
    limits = Resources(cpu="1", memory="512Mi")
    assert container(synthesise("dev", limits=limits))["resources"]["limits"] == {"cpu": "1", "memory": "512Mi"}


def test_the_service_is_inside_the_cluster(application: Template) -> None:
    """ "Type: ClusterIP", "Port: 80 → 8000", "Selector: app=vet-app" """
    assert Testing.to_have_resource_with_properties(
        application.text, ServiceV1.TF_RESOURCE_TYPE, {"spec": {"type": "ClusterIP", "selector": {"app": "vet-app"}}}
    )
    (port,) = application.one("kubernetes_service_v1")["spec"]["port"]
    (container,) = application.one("kubernetes_deployment_v1")["spec"]["template"]["spec"]["container"]
    named = {each["name"]: each["container_port"] for each in container["port"]}
    assert port["port"] == 80
    assert named[port["target_port"]] == 8000, (
        "by its name, so that pods of the former number are reached while others come"
    )


def test_the_service_leads_to_web_pods_and_to_no_task(with_email: Template) -> None:
    """ "Service load-balances to vet-app pods" """
    selector = with_email.one("kubernetes_service_v1")["spec"]["selector"].items()
    labels = {
        type_: (spec.get("job_template", {}).get("spec", spec))["template"]["metadata"]["labels"]
        for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1", "kubernetes_cron_job_v1")
        for spec in [with_email.one(type_)["spec"]]
    }
    chosen = {type_ for type_, given in labels.items() if selector <= given.items()}
    assert chosen == {"kubernetes_deployment_v1"}
    assert with_email.one("kubernetes_deployment_v1")["spec"]["selector"]["match_labels"].items() == selector


def test_the_container_listens_where_service_and_probes_look(application: Template) -> None:
    """ "Pod processes request and returns response" """
    ports = {port["name"]: port["container_port"] for port in container(application)["port"]}
    assert ports == {"http": 8000, "metrics": 9000}
    assert variables(application)["WEB_BIND"].endswith(":8000")
    assert variables(application)["METRICS_BIND"].endswith(":9000")


def test_the_ingress_leads_the_host_to_the_service(dev: Template, prod: Template) -> None:
    """ "Ingress: nginx ingress controller", "Domain: vet-app.example.com", "Ingress controller routes to vet-app service" """
    for template, host in ((dev, "vet-app.dev.example.com"), (prod, "vet-app.example.com")):
        assert Testing.to_have_resource_with_properties(
            template.text, IngressV1.TF_RESOURCE_TYPE, {"spec": {"ingress_class_name": "nginx"}}
        )
        spec = template.one("kubernetes_ingress_v1")["spec"]
        (rule,) = spec["rule"]
        (path,) = rule["http"]["path"]
        assert (rule["host"], path["path"], path["path_type"]) == (host, "/", "Prefix")
        backend, service = path["backend"]["service"], template.one("kubernetes_service_v1")
        assert backend["name"] == service["metadata"]["name"]
        assert backend["port"]["name"] == service["spec"]["port"][0]["name"]


def test_certificates_come_from_lets_encrypt_by_cert_manager(dev: Template, prod: Template) -> None:
    """ "TLS: cert-manager with Let's Encrypt" """
    for template, issuer in ((dev, "letsencrypt-staging"), (prod, "letsencrypt-production")):
        ingress = template.one("kubernetes_ingress_v1")
        assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == issuer
        (tls,) = ingress["spec"]["tls"]
        assert tls == {"hosts": [ingress["spec"]["rule"][0]["host"]], "secret_name": "vet-app-tls"}


def test_users_come_by_https_to_the_host(dev: Template, prod: Template) -> None:
    """ "User accesses `https://vet-app.example.com`" """
    assert variables(dev)["PUBLIC_URL"] == "https://vet-app.dev.example.com"
    assert variables(prod)["PUBLIC_URL"] == "https://vet-app.example.com"
    assert int(variables(prod)["HSTS_SECONDS"]) > int(variables(dev)["HSTS_SECONDS"])


def test_the_client_s_address_is_the_one_that_the_ingress_controller_gives(application: Template) -> None:
    """It replaces what came by the real address (helm-values/ingress-nginx.yaml, enable-real-ip), so there is one entry and no invented one."""
    assert variables(application)["TRUSTED_PROXIES"] == "1"


def test_the_configuration_is_the_pods_environment(application: Template) -> None:
    """ "ConfigMap: Environment variables" """
    address = application.reference_to("kubernetes_config_map_v1", "vet_app/configuration")
    for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1"):
        (source,) = container(application, type_)["env_from"]
        assert source["config_map_ref"]["name"] == f"${{{address}.metadata[0].name}}"


def test_another_configuration_or_image_is_another_release(synthesise: Synthesise, dev: Template) -> None:
    changed = [synthesise("dev", log_level="DEBUG"), synthesise("dev", image="other")]
    for template in changed:
        assert release(template) != release(dev), "the pods would go on with the old one"
        assert template.one("kubernetes_job_v1")["metadata"]["name"] != dev.one("kubernetes_job_v1")["metadata"]["name"]
    annotation = [
        template.one("kubernetes_deployment_v1")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for template in (dev, *changed)
    ]
    assert annotation[0] != annotation[1]
    assert annotation[0] == annotation[2], "the image is no part of the configuration"
    assert release(synthesise("dev")) == release(dev), "the same settings must not roll pods"


def test_secrets_are_files_and_no_value_is_in_the_document(with_email: Template) -> None:
    """ "Secrets: Sensitive data (optional)" """
    assert not with_email.resources("kubernetes_secret_v1"), "Terraform would keep the value in its state"
    mounted = {mount["mount_path"]: mount["read_only"] for mount in container(with_email)["volume_mount"][1:]}
    assert mounted == {f"/run/secrets/{name}": True for name in ("application", "database", "email")}
    files = {
        f"/run/secrets/{volume['name']}/{item['path']}"
        for volume in pod(with_email)["volume"]
        for projected in volume.get("projected", [])
        for source in projected["sources"]
        for secret in source["secret"]
        for item in secret["items"]
    }
    named = {value for key, value in variables(with_email).items() if key.endswith("_FILE") or key == "PGSSLROOTCERT"}
    assert named == files, "a file that is not mounted, or mounted for nothing"
    open_ = [key for key in variables(with_email) if SECRET_NAME.search(key) and not key.endswith("_FILE")]
    assert not open_, f"{open_} are in the ConfigMap, which everybody reads who may look at the application"
    assert not any("secret_ref" in json.dumps(one) for one in (container(with_email), pod(with_email)))


def test_mail_and_its_secret_are_only_there_where_mail_is_on(prod: Template, with_email: Template) -> None:
    assert not prod.resources("kubernetes_cron_job_v1")
    assert "EMAIL_URL_FILE" not in variables(prod)
    assert "vet-app-email" not in prod.text
    job = with_email.one("kubernetes_cron_job_v1")["spec"]
    assert (job["timezone"], job["concurrency_policy"]) == ("America/New_York", "Forbid")
    assert container(with_email, "kubernetes_cron_job_v1")["command"][-1] == "send_reminders"


def test_the_database_is_asked_for_its_certificate(application: Template) -> None:
    values = variables(application)
    assert (values["PGHOST"], values["PGSSLMODE"]) == ("database-rw", "verify-full")


def test_pods_have_no_rights(with_email: Template) -> None:
    for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1", "kubernetes_cron_job_v1"):
        spec, one = pod(with_email, type_), container(with_email, type_)
        assert spec["automount_service_account_token"] is False, type_
        assert spec["enable_service_links"] is False, type_
        assert spec["security_context"]["run_as_non_root"] is True, type_
        assert spec["security_context"]["run_as_user"] == "10001", f"{type_}: the user of vet_app/Dockerfile"
        assert spec["security_context"]["seccomp_profile"] == {"type": "RuntimeDefault"}, type_
        assert one["security_context"] == {
            "run_as_non_root": True,
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, type_
        writable = [mount["mount_path"] for mount in one["volume_mount"] if not mount.get("read_only")]
        assert writable == ["/tmp"], type_
        (tmp,) = [volume for volume in spec["volume"] if volume["name"] == "tmp"]
        assert tmp["empty_dir"]["size_limit"], f"{type_} could fill the node's disk"


def test_pods_take_the_role_for_files_of_patients_and_no_right_in_the_cluster(synthesise: Synthesise) -> None:
    template = synthesise("prod", attachments_in_s3=True, email_reminders=True)
    account = template.one("kubernetes_service_account_v1")
    assert account["metadata"]["name"] == "vet-app"
    assert account["automount_service_account_token"] is False
    for type_ in ("kubernetes_deployment_v1", "kubernetes_job_v1", "kubernetes_cron_job_v1"):
        spec = pod(template, type_)
        assert spec["automount_service_account_token"] is False, type_
        assert spec["service_account_name"].startswith("${kubernetes_service_account_v1."), spec["service_account_name"]
        (volume,) = (each for each in spec["volume"] if each["name"] == "aws")
        (token,) = (each["service_account_token"] for each in volume["projected"][0]["sources"])
        assert (token["audience"], token["path"]) == ("sts.amazonaws.com", "token"), token
        mounts = {each["name"]: each["mount_path"] for each in container(template, type_)["volume_mount"]}
        assert variables(template)["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mounts['aws']}/token"
    values = variables(template)
    assert "attachments_bucket" in values["ATTACHMENTS_BUCKET"], values
    assert "pod_role_arns" in values["AWS_ROLE_ARN"], values
    assert release(template) != release(synthesise("prod", email_reminders=True)), "pods begin again with the bucket"


def test_without_files_in_s3_pods_have_no_account_and_no_role(application: Template) -> None:
    assert not application.count("kubernetes_service_account_v1")
    assert not {name for name in variables(application) if name.startswith(("AWS_", "ATTACHMENTS"))}
    assert "aws" not in {each["name"] for each in pod(application)["volume"]}


def test_pods_restart_when_they_hang_and_get_requests_only_when_ready(application: Template) -> None:
    """ "Health checks and auto-restart" """
    one = container(application)
    assert one["liveness_probe"]["http_get"] == {"path": "/livez", "port": "http"}, "must not ask the database"
    assert one["readiness_probe"]["http_get"] == {"path": "/readyz", "port": "http"}
    startup = one["startup_probe"]
    assert startup["http_get"]["path"] == "/livez"
    assert startup["period_seconds"] * startup["failure_threshold"] >= 120, "a start at a fifth of a CPU takes its time"


def test_a_rollout_never_has_fewer_pods_and_loses_no_request(application: Template) -> None:
    """ "Multiple replicas per deployment" """
    spec = application.one("kubernetes_deployment_v1")["spec"]
    assert spec["strategy"]["rolling_update"] == {"max_surge": "1", "max_unavailable": "0"}
    drain = int(variables(application)["DRAIN_SECONDS"])
    assert pod(application)["termination_grace_period_seconds"] > drain + 20, "a request in progress would be cut off"
    budget = application.one("kubernetes_pod_disruption_budget_v1")["spec"]
    assert budget["max_unavailable"] == "1"
    assert budget["selector"]["match_labels"] == spec["selector"]["match_labels"]


def test_pods_of_one_release_spread_over_nodes_and_zones(application: Template) -> None:
    """ "Anti-affinity rules (optional)" """
    constraints = pod(application)["topology_spread_constraint"]
    assert [one["topology_key"] for one in constraints] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    labels = application.one("kubernetes_deployment_v1")["spec"]["template"]["metadata"]["labels"]
    for one in constraints:
        (selector,) = one["label_selector"]
        assert selector["match_labels"] == {"app": "vet-app", "release": labels["release"]}


def test_pods_run_on_agents(application: Template) -> None:
    """The diagram draws vet_app on an agent; dev's servers are not tainted."""
    rule = pod(application)["affinity"]["node_affinity"]["required_during_scheduling_ignored_during_execution"]
    (term,) = rule["node_selector_term"]
    assert term["match_expressions"] == [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}]


def test_the_database_is_migrated_before_the_rollout(with_email: Template) -> None:
    job = with_email.one("kubernetes_job_v1")
    address = with_email.reference_to("kubernetes_job_v1", "vet_app/migration")
    assert job["wait_for_completion"] is True
    assert container(with_email, "kubernetes_job_v1")["command"][:3] == ["python", "manage.py", "migrate_locked"]
    assert "ttl_seconds_after_finished" not in job["spec"], "a job that vanishes runs again at the next apply"
    for type_ in ("kubernetes_deployment_v1", "kubernetes_cron_job_v1"):
        assert address in with_email.one(type_)["depends_on"], f"{type_} does not wait for the migration"
    policies = {
        f"kubernetes_network_policy_v1.{id_}" for id_ in with_email.document["resource"]["kubernetes_network_policy_v1"]
    }
    assert policies <= set(job["depends_on"]), "it would start before it may reach the database"
