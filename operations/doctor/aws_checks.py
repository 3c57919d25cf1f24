"""What ``make doctor`` asks of AWS: state, DNS, certificate, image, machines."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from operations.application.images import Repository
from operations.doctor.finding import CheckContext, Finding
from settings.names import helm_stack, infrastructure_stack, state_key
from settings.problems import shown

DAYS_LEFT = 14
"""A certificate that ends sooner than this should have been renewed: ACM renews 60 days before."""


def state(context: CheckContext) -> Iterator[Finding]:
    """The bucket, its versions, each stack's state and whether somebody holds its lock."""
    project = context.settings.project
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
    for stack in (infrastructure_stack(context.environment.name), helm_stack(context.environment.name)):
        held = _object(s3, bucket, f"{state_key(stack)}.tflock")
        if held is not None:
            # Anybody who may write the state chooses what its lock says.
            who = shown(f"{held.get('Who', 'somebody')} since {str(held.get('Created', 'an unknown time'))[:19]}")
            unlock = shlex.join([f"-chdir=cdktf.out/stacks/{stack}", "force-unlock", shown(str(held.get("ID", "ID")))])
            remedy = f"wait; if nobody is at it: terraform {unlock}"
            yield Finding(f"lock of {stack}", "fails", f"held by {who}", remedy)
        if _object(s3, bucket, state_key(stack)) is None:
            remedy = (
                f"make deploy ENV={context.environment.name}, or docs/runbooks/lost-state-file.md if it was deployed"
            )
            yield Finding(f"state of {stack}", "later", "there is none yet", remedy)
        elif held is None:
            yield Finding(f"state of {stack}", "ok", "there, and nobody holds its lock")


def dns(context: CheckContext) -> Iterator[Finding]:
    """The zone, its delegation, and the addresses of the hosts."""
    environment, route53 = context.environment, context.client("route53")
    zones = route53.list_hosted_zones_by_name(DNSName=environment.dns_zone, MaxItems="1")["HostedZones"]
    if not zones or zones[0]["Name"].rstrip(".") != environment.dns_zone:
        yield Finding("DNS zone", "fails", f"{environment.dns_zone} does not exist", "make state")
        return
    servers = route53.get_hosted_zone(Id=zones[0]["Id"]).get("DelegationSet", {}).get("NameServers", [])
    yield Finding("DNS zone", "ok", environment.dns_zone)
    for host in environment.hosts.all:
        try:
            context.resolve(host)
        except OSError:
            remedy = f"set these name servers at your registrar (make state prints the domain's): {', '.join(servers)}"
            yield Finding(f"DNS of {host}", "fails", "the internet does not know it", remedy)
        else:
            yield Finding(f"DNS of {host}", "ok", "resolves")


def certificate(context: CheckContext) -> Iterator[Finding]:
    """The load balancer's certificate."""
    acm, hosts = context.client("acm"), set(context.environment.hosts.all)
    deploy = f"make deploy ENV={context.environment.name}"
    pages = acm.get_paginator("list_certificates").paginate()
    for summary in (each for page in pages for each in page["CertificateSummaryList"]):
        if summary["DomainName"] not in hosts:
            continue  # another environment's, which who looks after this one may not look at
        certificate = acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]
        if not hosts <= {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}:
            continue
        if certificate["Status"] != "ISSUED":
            yield Finding(
                "certificate",
                "fails",
                f"is {certificate['Status']}",
                f"delegate {context.environment.dns_zone}, then {deploy}",
            )
        elif (days := (certificate["NotAfter"] - datetime.now(UTC)).days) < DAYS_LEFT:
            yield Finding("certificate", "fails", f"ends in {days} days", "docs/runbooks/expired-certificates.md")
        else:
            yield Finding("certificate", "ok", f"issued, {days} days left")
        return
    yield Finding("certificate", "later", f"there is none for {', '.join(sorted(hosts))}", deploy)


def image(context: CheckContext) -> Iterator[Finding]:
    """The application's image, as the settings name it."""
    name, push = context.environment.application.image, f"make push ENV={context.environment.name}"
    file = f"environments/{context.environment.name}.yaml"
    if not name:
        yield Finding("image", "later", f"{file} names none", f"{push} prints what to write there")
    elif Repository(context.names).digest(name) is None:
        yield Finding("image", "fails", f"{context.names.application_repository} has no {name}", push)
    else:
        yield Finding("image", "ok", name)


def machines(context: CheckContext) -> Iterator[Finding]:
    """Servers and agents that run, and the targets that the load balancer finds healthy."""
    cluster, environment = context.names.base, context.environment
    wanted = {"server": environment.servers.count, "agent": environment.agents.min_count}
    for role, count in wanted.items():
        filters = {"tag:vet:cluster": cluster, "tag:vet:role": role, "instance-state-name": "running"}
        asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        pages = context.client("ec2").get_paginator("describe_instances").paginate(Filters=asked)
        running = sum(len(reservation["Instances"]) for page in pages for reservation in page["Reservations"])
        runbook = "lost-server" if role == "server" else "adding-agents"
        enough = running >= count
        remedy = "" if enough else f"make deploy ENV={environment.name}; docs/runbooks/{runbook}.md"
        yield Finding(f"{role}s", "ok" if enough else "fails", f"{running} of {count} run", remedy)
    yield from _targets(context)


def _targets(context: CheckContext) -> Iterator[Finding]:
    client, name = context.client("elbv2"), context.names.base
    try:
        (balancer,) = client.describe_load_balancers(Names=[name])["LoadBalancers"]
    except ClientError as error:
        if _code(error) != "LoadBalancerNotFound":
            raise
        yield Finding("load balancer", "later", f"{name} does not exist", f"make deploy ENV={context.environment.name}")
        return
    for group in client.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]:
        targets = client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        healthy = sum(target["TargetHealth"]["State"] == "healthy" for target in targets)
        good = healthy > 0 and healthy == len(targets)
        remedy = (
            "" if good else f"curl -k https://SERVER{group.get('HealthCheckPath', '')}: is the ingress controller up?"
        )
        yield Finding(
            "load balancer", "ok" if good else "fails", f"{healthy} of {len(targets)} targets are healthy", remedy
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
        lock: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}
    return lock


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
