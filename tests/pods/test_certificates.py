"""Certificates from an ACME server by DNS-01: issued, renewed before they end, and refused without harm."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.pods.conftest import Platform, timed
from tests.pods.visits import host


def certificate(platform: Platform, name: str) -> dict[str, Any]:
    """One of the namespace's."""
    certificate: dict[str, Any] = json.loads(platform.kubectl("get", "certificate", name, "--output=json"))
    return certificate


def issuer(platform: Platform) -> Mapping[str, str]:
    """The issuer of the application's certificate."""
    reference: Mapping[str, str] = certificate(platform, "vet-app-tls")["spec"]["issuerRef"]
    return reference


@contextmanager
def wanted(platform: Platform, name: str, dns_name: str) -> Iterator[None]:
    """A certificate of our own; it and its Secret go at the end."""
    spec = {"secretName": name, "dnsNames": [dns_name], "issuerRef": issuer(platform)}
    manifest = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name}, "spec": spec}
    platform.kubectl.apply(manifest)
    try:
        yield
    finally:
        platform.kubectl("delete", "certificate,secret", name, "--ignore-not-found")


def test_the_application_has_one_for_its_host(platform: Platform) -> None:
    platform.kubectl("wait", "certificate/vet-app-tls", "--for=condition=Ready", "--timeout=300s")
    content = certificate(platform, "vet-app-tls")
    assert content["spec"]["dnsNames"] == [host(platform)]
    assert datetime.fromisoformat(content["status"]["renewalTime"]) < datetime.fromisoformat(
        content["status"]["notAfter"]
    )


def test_one_is_issued_and_renewed_before_it_ends(platform: Platform, seconds: dict[str, float]) -> None:
    name = "renewed"
    with wanted(platform, name, f"renewed.{host(platform)}"):
        with timed(seconds, "issued"):
            platform.kubectl("wait", f"certificate/{name}", "--for=condition=Ready", "--timeout=300s")
        first = certificate(platform, name)["status"]
        begin, end = (datetime.fromisoformat(first[each]) for each in ("notBefore", "notAfter"))
        left = int((end - datetime.now(UTC)).total_seconds()) - 5
        whole = int((end - begin).total_seconds()) + 3600
        change = {"spec": {"duration": f"{whole}s", "renewBefore": f"{left}s"}}  # its renewal is due in five seconds
        with timed(seconds, "renewed"):
            platform.kubectl("patch", "certificate", name, "--type=merge", "--patch", json.dumps(change))
            await_revision(platform, name, first["revision"] + 1)


def await_revision(platform: Platform, name: str, revision: int) -> None:
    """Wait until a certificate was issued again."""
    deadline = time.monotonic() + 300
    while (status := certificate(platform, name)["status"]).get("revision", 0) < revision:
        assert time.monotonic() < deadline, f"{name} was not renewed: {status}"
        time.sleep(1)


@pytest.mark.long
def test_a_name_of_another_zone_gets_none_and_harms_no_other(platform: Platform) -> None:
    """cert-manager 1.11 says nowhere why: the order stays pending, without a reason, an event or a challenge."""
    before = certificate(platform, "vet-app-tls")["status"]["revision"]
    with wanted(platform, "foreign", "foreign.invalid"):
        deadline = time.monotonic() + 120
        while not (states := _orders(platform, "foreign.invalid")):
            assert time.monotonic() < deadline, "no order was made: nothing was seen"
            time.sleep(2)
        time.sleep(20)
        states = _orders(platform, "foreign.invalid")
        (ready,) = (
            each for each in certificate(platform, "foreign")["status"]["conditions"] if each["type"] == "Ready"
        )
    assert "valid" not in states, f"a name outside of the issuer's zone got a certificate: {states}"
    assert ready["status"] == "False"
    platform.kubectl("wait", "certificate/vet-app-tls", "--for=condition=Ready", "--timeout=10s")
    assert certificate(platform, "vet-app-tls")["status"]["revision"] == before


def _orders(platform: Platform, name: str) -> list[str]:
    """States of the orders for a name."""
    orders = json.loads(platform.kubectl("get", "orders", "--output=json"))["items"]
    return [each.get("status", {}).get("state", "") for each in orders if name in each["spec"]["dnsNames"]]
