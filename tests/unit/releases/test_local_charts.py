"""The project's own charts: clean for Helm, refused with wrong values, and what they make."""

import copy
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from settings.helm_values import FOLDER, values
from settings.release_sets import SETS, release_set
from tests.unit.releases.samples import LOCAL, ROLE, Render, derived, helm_template, merged, one

CHARTS = FOLDER / "charts"
OPERATORS = ("barmancloud.cnpg.io", "cert-manager.io", "postgresql.cnpg.io")
"""API groups of custom kinds that the local charts use."""

each = pytest.mark.parametrize(("set_name", "environment"), [(s, e) for s in SETS for e in ("dev", "prod")])


def test_there_are_no_other_charts() -> None:
    assert {path.name for path in CHARTS.iterdir()} == {*LOCAL, "clinic-monitoring"}  # tests/unit/services has it


@pytest.mark.parametrize("chart", LOCAL)
@each
def test_helm_finds_nothing_to_complain_about(helm: str, chart: str, set_name: str, environment: str) -> None:
    given = yaml.safe_dump(merged(chart, set_name, environment))
    command = [helm, "lint", "--strict", str(CHARTS / chart), "--values", "-"]
    run = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("chart", LOCAL)
def test_a_chart_refuses_an_unknown_key_and_missing_values(helm: str, chart: str) -> None:
    with pytest.raises(AssertionError, match=r"[aA]dditional propert(y|ies) '?strange'? (is )?not allowed"):
        helm_template(helm, CHARTS / chart, chart, "n", {**merged(chart, "documented", "dev"), "strange": 1})
    with pytest.raises(AssertionError, match="don't meet the specifications"):
        helm_template(helm, CHARTS / chart, chart, "n", {})


@pytest.mark.parametrize("chart", LOCAL)
@each
def test_objects_fit_the_set_s_kubernetes(render: Render, chart: str, set_name: str, environment: str) -> None:
    """Kinds of Kubernetes itself; the others' schemas come with their operators' charts."""
    minor = release_set(set_name).kubernetes_minor
    for manifest in render(chart, set_name, environment):
        try:
            kubernetes_validate.validate(manifest, minor, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            assert manifest["apiVersion"].split("/")[0] in OPERATORS, f"Kubernetes {minor} has no {manifest['kind']}"
        except kubernetes_validate.ValidationError as error:
            where = ".".join(map(str, error.path))
            pytest.fail(f"{manifest['kind']} in Kubernetes {minor}: {where}: {error.message}")


def test_objects_come_out_as_they_went_in(render: Render) -> None:
    """Nothing in them is a template."""
    assert render("objects", "documented", "dev") == derived("objects", release_set("documented"), "dev")["objects"]


def test_issuers_prove_domains_through_route_53(render: Render) -> None:
    """architecture.txt: "TLS: cert-manager with Let's Encrypt"."""
    manifests = render("cluster-issuers", "documented", "dev")
    servers = {m["metadata"]["name"]: m["spec"]["acme"]["server"] for m in manifests}
    assert servers == {
        "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
        "letsencrypt-production": "https://acme-v02.api.letsencrypt.org/directory",
    }
    for manifest in manifests:
        assert manifest["kind"] == "ClusterIssuer"
        solver = manifest["spec"]["acme"]["solvers"][0]
        assert solver["selector"] == {"dnsZones": ["example.com"]}
        assert solver["dns01"] == {"route53": {"region": "us-east-1", "hostedZoneID": "Z1"}}, "no keys: a role"
    accounts = {m["spec"]["acme"]["privateKeySecretRef"]["name"] for m in manifests}
    assert len(accounts) == 2, "staging and production must not share an account"


@each
def test_database_is_on_the_documented_volume(render: Render, set_name: str, environment: str) -> None:
    """architecture.txt: "PVC: 5Gi for application data", "StorageClass: standard (AWS EBS)"."""
    cluster = one(render("database", set_name, environment), "Cluster", "database")
    spec = cluster["spec"]
    assert spec["storage"] == {"storageClass": "standard", "size": "5Gi"}
    assert spec["imageName"] == release_set(set_name)["postgresql"].image
    assert spec["instances"] == {"dev": 1, "prod": 3}[environment]
    assert spec["affinity"]["podAntiAffinityType"] == {"dev": "preferred", "prod": "required"}[environment]
    assert spec["bootstrap"]["initdb"]["dataChecksums"] is True
    kept = cluster["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
    assert kept == {"dev": None, "prod": "keep"}[environment]
    assert all(isinstance(value, str) for value in spec["postgresql"]["parameters"].values())


@pytest.mark.parametrize("set_name", SETS)
@pytest.mark.parametrize(("instances", "wanted"), [(1, None), (2, None), (3, 1)])
def test_a_write_is_on_a_replica_before_it_is_acknowledged_where_one_may_be_away(
    helm: str, set_name: str, instances: int, wanted: int | None
) -> None:
    given = {**merged("database", set_name, "prod"), "instances": instances}
    spec = one(helm_template(helm, CHARTS / "database", "database", "vet-app", given), "Cluster", "database")["spec"]
    replicas = spec.get("minSyncReplicas"), spec.get("maxSyncReplicas")
    assert replicas == (wanted, wanted), (
        f"{instances} instances have {replicas} synchronous replicas at least and at most"
    )


@each
def test_database_backs_up_to_s3_with_its_own_role(render: Render, set_name: str, environment: str) -> None:
    """architecture.txt: "Application data backups"."""
    manifests = render("database", set_name, environment)
    spec = one(manifests, "Cluster", "database")["spec"]
    backup = one(manifests, "ScheduledBackup", "database")["spec"]
    plugin = "plugin-barman-cloud" in release_set(set_name)
    assert backup["immediate"] is True
    assert len(backup["schedule"].split()) == 6, "CloudNativePG counts seconds"
    if plugin:
        store = one(manifests, "ObjectStore", "database")["spec"]
        where, retention, env = (
            store["configuration"],
            store["retentionPolicy"],
            store["instanceSidecarConfiguration"]["env"],
        )
        assert spec["plugins"][0]["isWALArchiver"] is True
        assert backup["pluginConfiguration"]["name"] == spec["plugins"][0]["name"]
        assert "backup" not in spec
    else:
        where, retention, env = spec["backup"]["barmanObjectStore"], spec["backup"]["retentionPolicy"], spec["env"]
        assert "plugins" not in spec
    assert where["destinationPath"] == "s3://vet-test-database/database"
    assert where["s3Credentials"] == {"inheritFromIAMRole": True}
    assert retention == "7d"
    variables = {variable["name"]: variable["value"] for variable in env}
    source = spec["projectedVolumeTemplate"]["sources"][0]["serviceAccountToken"]
    assert variables["AWS_ROLE_ARN"] == ROLE
    assert variables["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"/projected/{source['path']}"
    assert source["audience"] == "sts.amazonaws.com"


@pytest.mark.parametrize("set_name", SETS)
def test_database_is_filled_with_a_dump_of_the_one_beside_and_believes_its_certificate_alone(
    helm: str, set_name: str
) -> None:
    given: dict[str, Any] = copy.deepcopy(merged("database", set_name, "prod"))
    given["import"] = {"from": "database-beside"}
    spec = one(helm_template(helm, CHARTS / "database", "database", "vet-app", given), "Cluster", "database")["spec"]
    initdb, (origin,) = spec["bootstrap"]["initdb"], spec["externalClusters"]
    assert initdb["database"] == initdb["owner"] == "vet_app"
    assert initdb["import"]["source"] == {"externalCluster": origin["name"]}
    assert origin["connectionParameters"]["sslmode"] == "verify-full"
    secrets = {origin[key]["name"] for key in ("password", "sslRootCert")}
    assert secrets == {"database-beside-app", "database-beside-ca"}
    given["recovery"] = {"from": "other", "at": ""}
    with pytest.raises(AssertionError, match=r"recovery\.from and import\.from exclude each other"):
        helm_template(helm, CHARTS / "database", "database", "vet-app", given)


@pytest.mark.parametrize("set_name", SETS)
def test_database_recovers_to_a_point_in_time(helm: str, set_name: str) -> None:
    given: dict[str, Any] = copy.deepcopy(merged("database", set_name, "prod"))
    given["recovery"] = {"from": "database", "at": "2026-11-24T09:30:00Z"}
    with pytest.raises(AssertionError, match=r"backup\.archive must differ from recovery\.from"):
        helm_template(helm, CHARTS / "database", "database", "vet-app", given)
    given["backup"]["archive"] = "database-2"
    spec = one(helm_template(helm, CHARTS / "database", "database", "vet-app", given), "Cluster", "database")["spec"]
    recovery, origin = spec["bootstrap"]["recovery"], spec["externalClusters"][0]
    assert recovery["source"] == origin["name"]
    assert recovery["recoveryTarget"] == {"targetTime": "2026-11-24 09:30:00+00"}
    assert recovery["database"] == recovery["owner"] == "vet_app"
    assert "initdb" not in spec["bootstrap"]
    if "plugin-barman-cloud" in release_set(set_name):
        names = origin["plugin"]["parameters"]["serverName"], spec["plugins"][0]["parameters"]["serverName"]
    else:
        names = origin["barmanObjectStore"]["serverName"], spec["backup"]["barmanObjectStore"]["serverName"]
    assert names == ("database", "database-2")


@pytest.mark.parametrize("set_name", SETS)
@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24T09:30:00Z",
        "2026-11-24 09:30:00+00",
        "2026-11-24T09:30:00+00:00",
        "2026-11-24T04:30:00-05:00",
        "2026-11-24 15:00:00+05:30",
        "2026-11-24 10:30:00+01",
    ],
)
def test_a_moment_reaches_postgresql_in_its_own_form(helm: str, set_name: str, written: str) -> None:
    """The operator's 1.22 rewrites RFC 3339 and keeps the `Z`, at which PostgreSQL ends (recovery_target_time)."""
    spec = one(_recovered(helm, set_name, written), "Cluster", "database")["spec"]
    moment = spec["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"]
    assert moment == "2026-11-24 09:30:00+00", f"{written} became {moment}"


@pytest.mark.parametrize("wrong", ["2026-11-24T09:30:00", "2026-11-24", "2026-13-41T09:30:00Z", "24.11.2026 09:30"])
def test_a_moment_without_a_zone_or_outside_the_calendar_is_refused(helm: str, wrong: str) -> None:
    with pytest.raises(AssertionError, match=r"recovery|mustToDate"):
        _recovered(helm, "documented", wrong)


@pytest.mark.parametrize("set_name", SETS)
def test_a_new_archive_gets_a_base_backup_at_once(helm: str, set_name: str) -> None:
    """`immediate` counts when a ScheduledBackup is made; one that stays would wait for the night."""

    def schedule(manifests: list[dict[str, Any]]) -> dict[str, Any]:
        (backup,) = (each for each in manifests if each["kind"] == "ScheduledBackup")
        return backup

    first = schedule(
        helm_template(helm, CHARTS / "database", "database", "vet-app", merged("database", set_name, "prod"))
    )
    second = schedule(_recovered(helm, set_name, ""))
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first["spec"]["immediate"] is second["spec"]["immediate"] is True
    assert first["spec"]["cluster"] == second["spec"]["cluster"] == {"name": "database"}


def _recovered(helm: str, set_name: str, moment: str) -> list[dict[str, Any]]:
    """What is made of a database that is recovered to a moment, into an archive of its own."""
    given: dict[str, Any] = copy.deepcopy(merged("database", set_name, "prod"))
    given["recovery"] = {"from": "database", "at": moment}
    given["backup"]["archive"] = "database-2"
    return helm_template(helm, CHARTS / "database", "database", "vet-app", given)


@each
def test_the_end_of_an_instance_waits_for_no_client(render: Render, set_name: str, environment: str) -> None:
    """The application keeps its connections: a smart shutdown that waits for them interrupts writes for as long."""
    spec = one(render("database", set_name, environment), "Cluster", "database")["spec"]
    assert 1 <= spec["smartShutdownTimeout"] <= 5, "0 is the operator's default of 180 in 1.22"
    assert spec["stopDelay"] - spec["smartShutdownTimeout"] >= 30, "too little for the last of the write-ahead log"
    assert spec["switchoverDelay"] >= 30, "the old primary would be ended with what no replica has"


@each
def test_only_a_single_instance_lets_its_node_be_drained(render: Render, set_name: str, environment: str) -> None:
    """Three have budgets and move one by one; one would hold a drain for ever (CloudNativePG: maintenance)."""
    spec = one(render("database", set_name, environment), "Cluster", "database")["spec"]
    window, budget = spec.get("nodeMaintenanceWindow"), spec.get("enablePDB")
    if spec["instances"] > 1:
        assert (window, budget) == (None, None), "several instances need their budgets"
    elif str(release_set(set_name)["cloudnative-pg"].info.app).startswith("1.22."):
        assert (window, budget) == ({"inProgress": True, "reusePVC": True}, None), "1.22 does not know enablePDB"
    else:
        assert (window, budget) == (None, False)


@pytest.mark.parametrize("set_name", SETS)
def test_a_database_beside_reads_the_backup_and_writes_none(helm: str, set_name: str) -> None:
    given: dict[str, Any] = copy.deepcopy(merged("database", set_name, "prod"))
    given |= {"name": "database-beside", "serverCASecret": "database-ca"}
    given["backup"]["enabled"] = False
    given["recovery"] = {"from": "database", "at": ""}
    manifests = helm_template(helm, CHARTS / "database", "database-beside", "vet-app", given)
    spec = one(manifests, "Cluster", "database-beside")["spec"]
    assert not {"backup", "plugins"} & spec.keys(), "it would write into the archive that it came from"
    assert not [each for each in manifests if each["kind"] == "ScheduledBackup"]
    assert spec["certificates"] == {"serverCASecret": "database-ca"}
    assert "recoveryTarget" not in spec["bootstrap"]["recovery"], "without a moment it is the newest"
    origin = spec["externalClusters"][0]
    if "plugin-barman-cloud" in release_set(set_name):
        assert origin["plugin"]["parameters"] == {"barmanObjectName": "database-beside", "serverName": "database"}
        assert "retentionPolicy" not in one(manifests, "ObjectStore", "database-beside")["spec"]
    else:
        assert origin["barmanObjectStore"]["serverName"] == "database"


def test_application_secret_is_random_and_kept(helm: str, render: Render) -> None:
    secret = one(render("vet-app-secret", "documented", "prod"), "Secret", "vet-app-secret")
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    given = merged("vet-app-secret", "documented", "prod")
    again = helm_template(helm, CHARTS / "vet-app-secret", "vet-app-secret", "vet-app", given)[0]
    assert len(secret["data"]["SECRET_KEY"]) >= 86
    assert secret["data"]["SECRET_KEY"] != again["data"]["SECRET_KEY"], "the key is not random"


def test_rancher_s_first_password_is_random_and_where_its_pods_take_it_from(helm: str) -> None:
    """With a password of its own making Rancher prints it, and 2.7.9 overwrites what is in bootstrap-secret (rancher@v2.7.9 and v2.15.0:
    pkg/data/management, bootstrap_password.go and role_data.go); one in CATTLE_BOOTSTRAP_PASSWORD is taken over and printed by neither."""
    rendered = [
        helm_template(helm, CHARTS / "vet-app-secret", "rancher-password", "cattle-system", given)[0]
        for given in [values("rancher-password", "documented")] * 2
    ]
    (variable,) = values("rancher", "documented")["extraEnv"]
    wanted = variable["valueFrom"]["secretKeyRef"]
    assert [secret["metadata"]["name"] for secret in rendered] == [wanted["name"]] * 2
    first, second = (secret["data"][wanted["key"]] for secret in rendered)
    assert first != second
    assert len(first) >= 40


def test_the_reading_role_sees_no_secret_and_changes_nothing(render: Render) -> None:
    """architecture.txt: "RBAC in Kubernetes"."""
    manifests = render("access", "documented", "prod")
    rules = one(manifests, "ClusterRole", "platform-read")["rules"]
    verbs = {verb for rule in rules for verb in rule["verbs"]}
    assert verbs <= {"get", "list", "watch"}
    assert not any("secrets" in rule["resources"] for rule in rules)
    assert not any("*" in rule["resources"] and "" in rule["apiGroups"] for rule in rules)
    assert not any("pods/log" in rule["resources"] for rule in rules), "Rancher's log has its first password"
    bound = {m["roleRef"]["name"] for m in manifests if m["kind"] == "ClusterRoleBinding"}
    assert bound == {"platform-read"}, "Kubernetes' `view` has the logs of every namespace"
    views = [m["metadata"]["namespace"] for m in manifests if m.get("roleRef", {}).get("name") == "view"]
    assert views == ["vet-app"], "logs are the application's"


@pytest.mark.parametrize(("kubernetes", "policies"), [("v1.26.15", 0), ("v1.30.0", 1), ("v1.35.7+rke2r1", 1)])
def test_what_deploy_changes_is_narrowed_where_the_api_is_stable(helm: str, kubernetes: str, policies: int) -> None:
    given = {"applicationNamespace": "vet-app"}
    manifests = helm_template(helm, CHARTS / "access", "access", "kube-system", given, "--kube-version", kubernetes)
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
        names = {each["metadata"]["name"] for each in manifests if each["kind"] == kind}
        assert names == ({"deploy-changes-images", "servers-stay-servers"} if policies else set()), kind


def test_those_who_are_who_they_are_in_aws_may_what_their_role_may(helm: str) -> None:
    people = {role: [f"aws:arn:aws:iam::123456789012:role/{role}"] for role in ("admin", "deploy", "read")}
    given = {"applicationNamespace": "vet-app", "groups": people}
    manifests = helm_template(helm, CHARTS / "access", "access", "kube-system", given, "--kube-version", "v1.30.0")
    bindings = [each for each in manifests if each["kind"].endswith("RoleBinding") or each["kind"] == "RoleBinding"]
    for role in ("deploy", "read"):
        account = {"kind": "ServiceAccount", "name": role, "namespace": "kube-system"}
        group = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": people[role][0]}
        shared = [each["subjects"] for each in bindings if account in each["subjects"]]
        assert shared, role
        assert all(subjects == [account, group] for subjects in shared), shared
    (admin,) = [each for each in bindings if each["roleRef"]["name"] == "cluster-admin"]
    assert [each["name"] for each in admin["subjects"]] == people["admin"]
    policy = one(manifests, "ValidatingAdmissionPolicy", "deploy-changes-images")
    (condition,) = policy["spec"]["matchConditions"]
    expression = condition["expression"]
    assert people["deploy"][0] in expression, "a person would change what the account may not"
    assert people["admin"][0] not in expression


def test_the_deploying_role_stays_in_the_applications_namespace(render: Render) -> None:
    manifests = render("access", "documented", "prod")
    role = one(manifests, "Role", "deploy")
    assert role["metadata"]["namespace"] == "vet-app"
    resources = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert "deployments" in resources
    assert not resources & {"*", "secrets", "pods/exec", "roles", "rolebindings", "serviceaccounts"}, resources
    changed = {
        each for rule in role["rules"] if set(rule["verbs"]) - {"get", "list", "watch"} for each in rule["resources"]
    }
    assert changed == {"deployments", "deployments/scale"}, "an Ingress takes hosts, a Job runs as whom it names"
    assert not {"create", "delete"} & {verb for rule in role["rules"] for verb in rule["verbs"]}
    subjects = [
        m["subjects"] for m in manifests if m["kind"].endswith("RoleBinding") and "deploy" in m["metadata"]["name"]
    ]
    assert subjects == [[{"kind": "ServiceAccount", "name": "deploy", "namespace": "kube-system"}]]
    for manifest in manifests:
        if manifest["kind"] == "ServiceAccount":
            assert manifest["automountServiceAccountToken"] is False
