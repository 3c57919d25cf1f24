"""What ``make doctor`` looks at, one function a matter, in the order in which each needs the one before.

A check yields findings. It may raise what AWS or a program raises: the doctor makes a finding of it.
"""

import json
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import boto3
from botocore.exceptions import ClientError

from operations.images import Repository
from operations.kubeconfig import api_host, save
from operations.servers import Cluster
from operations.terraform import engine_of, program
from operations.tunnel import is_open
from settings import Settings
from settings.environment import Environment
from settings.loader import placeholders_left
from settings.names import Names, helm_stack, infrastructure_stack, state_key
from settings.problems import shown

DAYS_LEFT = 14
"""A certificate that ends sooner than this should have been renewed: ACM renews 60 days before."""

Verdict = Literal["ok", "fails", "later"]
"""``later``: nothing is wrong, but it cannot be said yet."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    what: str
    verdict: Verdict
    text: str
    remedy: str = ""
    """What to do; empty if it is ok."""


@dataclass(frozen=True)
class Patient:
    """An environment under examination."""

    settings: Settings
    environment: Environment
    resolve: Callable[[str], object] = socket.gethostbyname
    """Ask DNS for a name's address; OSError if it has none."""

    connect: Callable[[tuple[str, int], float], Any] = socket.create_connection
    """Open a connection; OSError if nobody answers."""

    tunnel: Callable[[Cluster], bool] = is_open
    """Whether a tunnel to a private API is open here; Failure if something else listens on its port."""

    @property
    def names(self) -> Names:
        """Its physical names."""
        return Names(self.settings.project, self.environment)

    def client(self, service: str) -> Any:
        """A client in its region."""
        return boto3.client(service, region_name=self.environment.region)


def tools(patient: Patient) -> Iterator[Finding]:
    """Programs on this machine."""
    yield Finding("Python", "ok", ".".join(map(str, sys.version_info[:3])))
    path = program()  # raises Failure with its own remedy
    answer = subprocess.run([path, "version", "-json"], capture_output=True, text=True, check=True)
    yield Finding(engine_of(path).name, "ok", json.loads(answer.stdout)["terraform_version"])
    private = patient.environment.access.api.access == "private"
    for name, reason, needed in (
        ("aws", "the AWS CLI, by which kubectl and Terraform get the cluster's credentials", True),
        ("session-manager-plugin", "the AWS CLI's plugin, the way to a private API", private),
        ("kubectl", "to look at nodes and releases", False),
    ):
        found = shutil.which(name)
        if found:
            yield Finding(name, "ok", found)
        else:
            yield Finding(name, "fails" if needed else "later", "is not on PATH", f"install it: {reason}")


def first_day(patient: Patient) -> Iterator[Finding]:
    """Placeholders that are left in the project's settings."""
    left = placeholders_left(patient.settings.project)
    for problem in left:
        yield Finding("settings", "fails", f"{problem.place}: {problem.subject} is a placeholder", problem.remedy)
    if not left:
        yield Finding("settings", "ok", "no placeholder is left")


def credentials(patient: Patient) -> Iterator[Finding]:
    """Who you are in AWS."""
    identity = patient.client("sts").get_caller_identity()
    wanted = patient.settings.project.account_id
    if identity["Account"] == wanted:
        yield Finding("credentials", "ok", f"{identity['Arn']}")
    else:
        text = f"they are of account {identity['Account']}, not {wanted}"
        yield Finding(
            "credentials", "fails", text, "set AWS_PROFILE, or correct account_id in environments/_project.yaml"
        )


def state(patient: Patient) -> Iterator[Finding]:
    """The bucket, its versions, each stack's state and whether somebody holds its lock."""
    project = patient.settings.project
    s3, bucket = boto3.client("s3", region_name=project.region), project.state_bucket
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        remedy = "make state (once per account)"
        if _code(error) not in ("404", "NoSuchBucket"):
            remedy = "it is another account's, or you may not read it: set AWS_PROFILE, or choose another state_bucket"
        yield Finding("state bucket", "fails", f"{bucket}: {_code(error)}", remedy)
        return
    versions = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    if versions == "Enabled":
        yield Finding("state bucket", "ok", f"{bucket}, with versions")
    else:
        yield Finding("state bucket", "fails", f"{bucket} keeps no versions", "make state turns them on again")
    for stack in (infrastructure_stack(patient.environment.name), helm_stack(patient.environment.name)):
        held = _object(s3, bucket, f"{state_key(stack)}.tflock")
        if held is not None:
            # Whoever may write the state chooses what stands in its lock.
            who = shown(f"{held.get('Who', 'somebody')} since {str(held.get('Created', 'an unknown time'))[:19]}")
            unlock = shlex.join([f"-chdir=cdktf.out/stacks/{stack}", "force-unlock", shown(str(held.get("ID", "ID")))])
            remedy = f"wait; if nobody is at it: terraform {unlock}"
            yield Finding(f"lock of {stack}", "fails", f"held by {who}", remedy)
        if _object(s3, bucket, state_key(stack)) is None:
            remedy = (
                f"make deploy ENV={patient.environment.name}, or docs/runbooks/lost-state-file.md if it was deployed"
            )
            yield Finding(f"state of {stack}", "later", "there is none yet", remedy)
        elif held is None:
            yield Finding(f"state of {stack}", "ok", "there, and nobody holds its lock")


def dns(patient: Patient) -> Iterator[Finding]:
    """The zone, its delegation, and the addresses of the hosts."""
    environment, route53 = patient.environment, patient.client("route53")
    found = route53.list_hosted_zones_by_name(DNSName=environment.zone, MaxItems="1")["HostedZones"]
    if not found or found[0]["Name"].rstrip(".") != environment.zone:
        yield Finding("DNS zone", "fails", f"{environment.zone} does not exist", "make state")
        return
    servers = route53.get_hosted_zone(Id=found[0]["Id"]).get("DelegationSet", {}).get("NameServers", [])
    yield Finding("DNS zone", "ok", environment.zone)
    for host in environment.hosts.all:
        try:
            patient.resolve(host)
        except OSError:
            remedy = f"set these name servers at your registrar (make state prints the domain's): {', '.join(servers)}"
            yield Finding(f"DNS of {host}", "fails", "the internet does not know it", remedy)
        else:
            yield Finding(f"DNS of {host}", "ok", "resolves")


def certificate(patient: Patient) -> Iterator[Finding]:
    """The load balancer's certificate."""
    acm, hosts = patient.client("acm"), set(patient.environment.hosts.all)
    deploy = f"make deploy ENV={patient.environment.name}"
    pages = acm.get_paginator("list_certificates").paginate()
    for summary in (each for page in pages for each in page["CertificateSummaryList"]):
        found = acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]
        if not hosts <= {found["DomainName"], *found.get("SubjectAlternativeNames", [])}:
            continue
        if found["Status"] != "ISSUED":
            yield Finding(
                "certificate", "fails", f"is {found['Status']}", f"delegate {patient.environment.zone}, then {deploy}"
            )
        elif (days := (found["NotAfter"] - datetime.now(UTC)).days) < DAYS_LEFT:
            yield Finding("certificate", "fails", f"ends in {days} days", "docs/runbooks/expired-certificates.md")
        else:
            yield Finding("certificate", "ok", f"issued, {days} days left")
        return
    yield Finding("certificate", "later", f"there is none for {', '.join(sorted(hosts))}", deploy)


def image(patient: Patient) -> Iterator[Finding]:
    """The application's image, as the settings name it."""
    name, push = patient.environment.application.image, f"make push ENV={patient.environment.name}"
    file = f"environments/{patient.environment.name}.yaml"
    if not name:
        yield Finding("image", "later", f"{file} names none", f"{push} prints what to write there")
    elif Repository(patient.names).digest(name) is None:
        yield Finding("image", "fails", f"{patient.names.application_repository} has no {name}", push)
    else:
        yield Finding("image", "ok", name)


def machines(patient: Patient) -> Iterator[Finding]:
    """Servers and agents that run, and the targets that the load balancer finds healthy."""
    cluster, environment = patient.names.base, patient.environment
    wanted = {"server": environment.servers.count, "agent": environment.agents.count}
    for role, count in wanted.items():
        filters = {"tag:vet:cluster": cluster, "tag:vet:role": role, "instance-state-name": "running"}
        asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        pages = patient.client("ec2").get_paginator("describe_instances").paginate(Filters=asked)
        running = sum(len(reservation["Instances"]) for page in pages for reservation in page["Reservations"])
        runbook = "lost-server" if role == "server" else "adding-agents"
        enough = running >= count
        remedy = "" if enough else f"make deploy ENV={environment.name}; docs/runbooks/{runbook}.md"
        yield Finding(f"{role}s", "ok" if enough else "fails", f"{running} of {count} run", remedy)
    yield from _targets(patient)


def api(patient: Patient) -> Iterator[Finding]:
    """Whether the Kubernetes API answers, by the way that the environment provides, and what runs behind it."""
    cluster = Cluster(patient.environment.name)
    if patient.environment.access.api.access == "public":
        address = api_host(cluster, public=True)
        try:
            patient.connect((address, 6443), 3.0).close()
        except OSError:
            yield Finding("API", "fails", f"{address} does not answer on 6443", "docs/runbooks/lost-quorum.md")
            return
    else:
        address = "127.0.0.1"
        if not patient.tunnel(cluster):
            remedy = f"open the tunnel in another terminal: make kubeconfig ENV={patient.environment.name} TUNNEL=yes"
            yield Finding("API", "later", "is private, and no tunnel is open here", remedy)
            return
    yield Finding("API", "ok", f"answers at {address}")
    if shutil.which("kubectl"):
        yield from _inside([f"--kubeconfig={save(cluster, 'admin')}"])


def _inside(options: list[str]) -> Iterator[Finding]:
    """Nodes and Helm releases, by kubectl."""
    for node in _kubectl("get", "nodes", *options):
        ready = {each["type"]: each["status"] for each in node["status"]["conditions"]}.get("Ready")
        verdict: Verdict = "ok" if ready == "True" else "fails"
        remedy = "" if ready == "True" else "kubectl describe node; docs/runbooks/lost-server.md"
        yield Finding(f"node {node['metadata']['name']}", verdict, "Ready" if verdict == "ok" else "not Ready", remedy)
    latest: dict[str, dict[str, str]] = {}
    for secret in _kubectl("get", "secrets", "--all-namespaces", "--selector=owner=helm", *options):
        labels = secret["metadata"]["labels"]
        if int(labels["version"]) >= int(latest.get(labels["name"], {"version": "0"})["version"]):
            latest[labels["name"]] = labels
    for name, labels in sorted(latest.items()):
        deployed = labels["status"] == "deployed"
        remedy = "" if deployed else "kubectl get events --all-namespaces; then make deploy again"
        yield Finding(
            f"release {name}",
            "ok" if deployed else "fails",
            f"{labels['status']}, revision {labels['version']}",
            remedy,
        )

    if latest.get("rancher", {}).get("status") == "deployed":
        yield _first_password(options)


def _first_password(options: list[str]) -> Finding:
    """Rancher's own setting says whether its administrator's password was ever changed (rancher: pkg/settings, first-login)."""
    what = "Rancher's first password"
    kept = _kubectl("get", "settings.management.cattle.io", "--field-selector=metadata.name=first-login", *options)
    if not kept:
        return Finding(what, "later", "Rancher has not said yet whether it was used", "wait until Rancher has started")
    if (kept[0].get("value") or kept[0].get("default")) == "false":
        return Finding(what, "ok", "has been used, and is of no use any more")
    text = "nobody has used it yet: who has it, and reaches Rancher, is its administrator"
    return Finding(what, "fails", text, "log in and choose your own: docs/runbooks/rancher.md")


def _kubectl(*arguments: str) -> list[Any]:
    command = ["kubectl", *arguments, "--output=json", "--request-timeout=10s"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    items: list[Any] = json.loads(answer.stdout)["items"]
    return items


def _targets(patient: Patient) -> Iterator[Finding]:
    client, name = patient.client("elbv2"), patient.names.base
    try:
        (balancer,) = client.describe_load_balancers(Names=[name])["LoadBalancers"]
    except ClientError as error:
        if _code(error) != "LoadBalancerNotFound":
            raise
        yield Finding("load balancer", "later", f"{name} does not exist", f"make deploy ENV={patient.environment.name}")
        return
    for group in client.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]:
        found = client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        healthy = sum(target["TargetHealth"]["State"] == "healthy" for target in found)
        good = healthy > 0 and healthy == len(found)
        remedy = (
            "" if good else f"curl -k https://SERVER{group.get('HealthCheckPath', '')}: is the ingress controller up?"
        )
        yield Finding(
            "load balancer", "ok" if good else "fails", f"{healthy} of {len(found)} targets are healthy", remedy
        )


def _object(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """An object's JSON; empty if it is none, None if there is no such object."""
    try:
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if _code(error) in ("NoSuchKey", "404"):
            return None
        raise
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}
    return found


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
