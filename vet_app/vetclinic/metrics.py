"""Measurements for Prometheus, served by the gunicorn worker on a port of its own that no ingress leads to."""

from __future__ import annotations

import logging
import math
import platform
import threading
import time
from typing import Any, Callable

import django
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram, Info, start_http_server

from vetclinic.logs import route

REQUESTS = Counter("vet_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "vet_http_request_seconds", "Time to answer.", ["route"], buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
)
EVENTS = Counter("vet_events", "What happened in the clinic, as the audit trail has it.", ["record", "action"])
BUILD = Info("vet_build", "Versions.")
BUILD.info({"django": django.get_version(), "python": platform.python_version()})
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MetricsMiddleware:
    """Counts and times requests by route, never by address: ids and names must not become labels."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Measure the request."""
        start = time.perf_counter()
        response = self.get_response(request)
        name = route(request)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, name, str(response.status_code)).inc()
        SECONDS.labels(name).observe(time.perf_counter() - start)
        return response


def _used() -> float:
    """What files take up, asked when the metrics are; not a number while the database is unavailable."""
    from clinic.files import bytes_used

    try:
        return float(bytes_used())
    except DatabaseError:
        return math.nan
    finally:
        connections.close_all()


FILES = Gauge("vet_attachment_bytes", "What the files of patients take up.")
QUOTA = Gauge("vet_attachment_quota_bytes", "What they may take up; no file is kept beyond.")


def count_event(sender: Any, instance: Any, created: bool, **_kwargs: Any) -> None:
    """Count an audit entry once its transaction is committed: bookings, double bookings, invoices, payments, ..."""
    if created:
        counter = EVENTS.labels(instance.object_type, instance.action)
        transaction.on_commit(counter.inc)


def count_events() -> None:
    """Begin to count audit entries."""
    from audit.models import AuditEntry

    post_save.connect(count_event, sender=AuditEntry, dispatch_uid="vet_events")


def serve(address: str, port: int) -> None:
    """Serve /metrics beside the requests; port 0 switches it off.

    While a worker is replaced the old one still has the port, so the new one tries until it is free.
    """
    count_events()
    FILES.set_function(_used)
    QUOTA.set(settings.ATTACHMENTS_QUOTA)
    if port:
        threading.Thread(target=_serve, args=(address, port), name="metrics", daemon=True).start()


def _serve(address: str, port: int) -> None:
    waiting = False
    while True:
        try:
            start_http_server(port, address)
        except OSError as problem:
            if not waiting:
                logging.getLogger(__name__).warning("The port %d for metrics is not free yet: %s", port, problem)
            waiting = True
            time.sleep(1)
        else:
            return
