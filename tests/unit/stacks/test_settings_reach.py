"""No setting of what a visitor meets is without effect: another value is another stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import main
from settings import load
from settings.base import Section
from settings.load_balancer import LoadBalancer
from settings.workloads import Application
from tests.changes import one_environment
from tests.template import Template
from tests.unit.stacks.conftest import read

OTHERWISE: Mapping[str, Any] = {
    "application.namespace": "clinic",
    "application.replicas": 3,
    "application.service_port": 81,
    "application.container_port": 8001,
    "application.requests": {"cpu": "110m"},
    "application.limits": {"memory": "300Mi"},
    "application.volume": "6Gi",
    "application.database_instances": 2,
    "application.image": "3f2a9c1d0b4e",
    "application.autoscaling": {"max_replicas": 4},
    "application.certificate_issuer": "letsencrypt-production",
    "application.clinic": {"name": "Another"},
    "application.email_reminders": True,
    "application.email_from": "hello@clinic.example",
    "application.email_reply_to": "desk@clinic.example",
    "application.attachments_in_s3": True,
    "application.attachments_quota_mb": 4096,
    "application.hsts_seconds": 4711,
    "application.log_level": "ERROR",
    "load_balancer.health_check": {"timeout_seconds": 7},
    "load_balancer.tls_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "load_balancer.idle_timeout_seconds": 1900,
    "load_balancer.access_logs": True,
}
"""Another value of each setting than dev has."""

ELSEWHERE = {
    "application.email_relay": "nothing in dev, which sends no e-mail",
    "application.python_version": "of the image that `make push` builds",
    "load_balancer.access_logs_days": "nothing in dev, which keeps none",
    "load_balancer.target_port": "a choice of one",
}
"""Settings of which dev's stacks know nothing, and what they are about."""


def test_every_setting_is_tried() -> None:
    sections: dict[str, type[Section]] = {"application": Application, "load_balancer": LoadBalancer}
    known = {f"{name}.{field}" for name, section in sections.items() for field in section.model_fields}
    assert known == OTHERWISE.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("setting", OTHERWISE)
def test_another_value_is_another_stack(setting: str, templates: Mapping[str, Template], tmp_path: Path) -> None:
    changed = _synthesised(tmp_path, setting)
    stacks = ("vet-dev", "vet-dev-helm")
    assert any(changed[stack].text != templates[stack].text for stack in stacks), f"{setting} has no effect"


def test_every_part_of_the_health_check_reaches_the_load_balancer(dev: Template) -> None:
    check = dev.one("aws_lb_target_group", "ingress/target_group")["health_check"]
    wanted = load().environment("dev").load_balancer.health_check
    given = {key.removesuffix("_seconds"): value for key, value in wanted.model_dump().items()}
    assert {key: check.get(key) for key in given} == given


def test_the_ingress_controller_s_hsts_is_the_application_s(tmp_path: Path) -> None:
    """Whatever answers for a host, an error page of the controller included, tells browsers the same."""
    template = _synthesised(tmp_path, "application.hsts_seconds")["vet-dev-helm"]
    controller = json.loads(template.one("helm_release", "ingress/controller")["values"][0])["controller"]["config"]
    application = template.one("kubernetes_config_map_v1")["data"]["HSTS_SECONDS"]
    assert controller["hsts-max-age"] == application == "4711"


def test_without_hsts_the_controller_says_nothing(tmp_path: Path) -> None:
    template = _synthesised(tmp_path, "application.hsts_seconds", 0)["vet-dev-helm"]
    controller = json.loads(template.one("helm_release", "ingress/controller")["values"][0])["controller"]["config"]
    assert controller["hsts"] == "false", "the controller's own default is a year, with all subdomains"


@pytest.mark.parametrize("seconds", [60, 1800])
def test_it_is_the_load_balancer_that_closes_idle_connections(tmp_path: Path, seconds: int) -> None:
    """A request that meets a connection which its target is closing is answered with 502 by the load balancer."""
    templates = _synthesised(tmp_path, "load_balancer.idle_timeout_seconds", seconds)
    controller = json.loads(templates["vet-dev-helm"].one("helm_release", "ingress/controller")["values"][0])
    kept = int(controller["controller"]["config"]["keep-alive"])
    assert kept > templates["vet-dev"].one("aws_lb", "ingress")["idle_timeout"] == seconds


def _synthesised(folder: Path, setting: str, value: Any = None) -> Mapping[str, Template]:
    """All stacks, with one setting of dev changed."""
    section, _, key = setting.partition(".")
    changed = {section: {key: OTHERWISE[setting] if value is None else value}}
    main.build_app(load(one_environment(folder, changed)), outdir=str(folder / "cdktf.out")).synth()
    return read(folder / "cdktf.out")
