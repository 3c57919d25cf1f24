"""Application load balancer, API load balancer, certificate and DNS records."""

from cdktf import Testing
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup

from modules.platform.vet_application import configuration
from tests.template import Template


def test_application_load_balancer_faces_the_internet_from_every_public_subnet(infrastructure: Template) -> None:
    balancer = infrastructure.one(Lb.TF_RESOURCE_TYPE, load_balancer_type="application")
    assert balancer["internal"] is False
    public = infrastructure.count("aws_subnet", map_public_ip_on_launch=True)
    assert len(balancer["subnets"]) == public
    assert balancer["idle_timeout"] >= 1800, "Rancher's web sockets would break off"
    assert balancer["drop_invalid_header_fields"] is True


def test_its_targets_are_all_servers_on_port_443(infrastructure: Template) -> None:
    group = infrastructure.reference_to("aws_lb_target_group", "ingress/target_group")
    attached = {
        block["target_id"]
        for block in infrastructure.resources("aws_lb_target_group_attachment").values()
        if block["target_group_arn"] == f"${{{group}.arn}}"
    }
    servers = {
        f"${{{infrastructure.reference_to('aws_instance', path)}.id}}"
        for path in infrastructure.resources("aws_instance")
    }
    assert attached == servers
    assert infrastructure.one("aws_lb_target_group", "ingress/target_group")["port"] == 443
    (action,) = infrastructure.one("aws_lb_listener", port=443)["default_action"]
    assert (action["type"], action.get("target_group_arn")) == ("forward", f"${{{group}.arn}}")


def test_health_is_asked_over_https_at_ping(infrastructure: Template) -> None:
    assert Testing.to_have_resource_with_properties(
        infrastructure.text, LbTargetGroup.TF_RESOURCE_TYPE, {"port": 443, "protocol": "HTTPS"}
    )
    check = infrastructure.one("aws_lb_target_group", "ingress/target_group")["health_check"]
    assert (check["protocol"], check["path"], check["matcher"]) == ("HTTPS", "/ping", "200")


def test_a_server_that_leaves_may_finish_its_longest_request(infrastructure: Template) -> None:
    delay = int(infrastructure.one("aws_lb_target_group", "ingress/target_group")["deregistration_delay"])
    assert delay > configuration.DRAIN_SECONDS + configuration.LONGEST_REQUEST_SECONDS


def test_plain_http_is_redirected_for_good(infrastructure: Template) -> None:
    (action,) = infrastructure.one("aws_lb_listener", port=80)["default_action"]
    assert action["type"] == "redirect"
    assert action["redirect"] == {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}


def test_tls_ends_with_an_issued_certificate_and_a_modern_policy(infrastructure: Template) -> None:
    listener = infrastructure.one("aws_lb_listener", port=443)
    validation = infrastructure.reference_to("aws_acm_certificate_validation", "certificate/validation")
    assert listener["certificate_arn"] == f"${{{validation}.certificate_arn}}"
    assert listener["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_hosts(dev: Template, prod: Template) -> None:
    for template, application, rancher in (
        (dev, "vet-app.dev.example.com", "rancher.dev.example.com"),
        (prod, "vet-app.example.com", "rancher.example.com"),
    ):
        certificate = template.one("aws_acm_certificate")
        assert certificate["domain_name"] == application
        assert certificate["subject_alternative_names"] == [rancher]
        aliases = {block["name"] for block in template.resources("aws_route53_record").values() if "alias" in block}
        assert aliases == {application, rancher}


def test_every_host_has_its_validation_record(infrastructure: Template) -> None:
    validation = infrastructure.one("aws_acm_certificate_validation")
    assert len(validation["validation_record_fqdns"]) == 2
    certificate = infrastructure.one("aws_acm_certificate")
    for host in (certificate["domain_name"], *certificate["subject_alternative_names"]):
        record = infrastructure.one("aws_route53_record", f"certificate/validation_{host}")
        assert f'option.domain_name == "{host}"' in record["name"]


def test_api_load_balancer_is_internal_and_checks_6443_for_both_ports(infrastructure: Template) -> None:
    balancer = infrastructure.one("aws_lb", load_balancer_type="network")
    assert balancer["internal"] is True
    assert balancer["enable_cross_zone_load_balancing"] is True
    assert len(balancer["security_groups"]) == 1
    for port in (6443, 9345):
        group = infrastructure.one("aws_lb_target_group", f"api/target_group_{port}")
        assert (group["port"], group["protocol"], group["preserve_client_ip"]) == (port, "TCP", "false")
        assert (group["health_check"]["protocol"], group["health_check"]["port"]) == ("TCP", "6443")
        listener = infrastructure.one("aws_lb_listener", f"api/listener_{port}")
        assert listener["port"] == port
        reference = infrastructure.reference_to("aws_lb_target_group", f"api/target_group_{port}")
        assert listener["default_action"] == [{"target_group_arn": f"${{{reference}.arn}}", "type": "forward"}]


def test_access_logs_are_kept_in_prod_only(dev: Template, prod: Template) -> None:
    assert "access_logs" not in dev.one("aws_lb", load_balancer_type="application")
    logs = prod.one("aws_lb", load_balancer_type="application")["access_logs"]
    assert logs["enabled"] is True
    bucket = prod.reference_to("aws_s3_bucket", "buckets/access_logs")
    assert bucket in logs["bucket"], "they go where only they may be written"


def test_target_group_names_fit(infrastructure: Template) -> None:
    for path, group in infrastructure.resources("aws_lb_target_group").items():
        assert len(group["name"]) <= 32, f"{path}: {group['name']}"
