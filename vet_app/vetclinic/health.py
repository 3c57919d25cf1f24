"""Whether the process lives and can serve: /livez and /readyz, asked by the kubelet at the pod's own address.

The middleware stands first of all, so a probe meets no check of the host, no redirect to https, no session and no log
line. A path with a trailing slash is answered as well: a redirect would count as success.
"""

from __future__ import annotations

import threading
from typing import Callable, List

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

draining = threading.Event()  # set by vetclinic.draining when the process has been told to end
_migrated = threading.Event()  # migrations only add, so a database that was new enough once stays so


class HealthMiddleware:
    """Answers the two probes and hands everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """200 with `{"status": "ok"}`, or 503 with the reasons."""
        path = request.path_info.rstrip("/")
        if path == "/livez":
            return _answer([])
        if path == "/readyz":
            return _answer(reasons_not_ready())
        return self.get_response(request)


def reasons_not_ready() -> List[str]:
    """Why no request should be sent here now: the process is ending, or the database does not answer or is too old."""
    if draining.is_set():
        return ["shutting down"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated.is_set():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return ["the database waits for migrations"]
            _migrated.set()
    except DatabaseError:
        connection.close()
        return ["the database does not answer"]
    return []


def _answer(reasons: List[str]) -> HttpResponse:
    if reasons:
        response = JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    else:
        response = JsonResponse({"status": "ok"})
    response["Cache-Control"] = "no-store"
    setattr(response, "_has_been_logged", True)  # noqa: B010 -- Django's mark; a probe every few seconds is no news
    return response
