"""Logs: one JSON object a line in production, plain lines elsewhere, and each with the id of its request.

A request's line has the route and never the query or the body, because names and telephone numbers stand there.
"""

from __future__ import annotations

import json
import logging
import time
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any, Callable, Dict

from django.db import connection
from django.http import HttpRequest, HttpResponse

request_id: ContextVar[str] = ContextVar("request_id", default="")
access = logging.getLogger("vetclinic.access")
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id", "request", "server_time"}


class RequestIdFilter(logging.Filter):
    """Gives every record the id of the request that is being served, empty outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always let the record through."""
        record.request_id = request_id.get()
        return True


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; what was given as `extra` becomes members of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: Dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if getattr(record, "request_id", ""):
            line["request_id"] = record.request_id  # type: ignore[attr-defined]
        line.update({name: value for name, value in vars(record).items() if name not in STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def configuration(level: str, *, as_json: bool) -> Dict[str, Any]:
    """The dictionary for `logging.config`, for Django and gunicorn alike."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "vetclinic.logs.RequestIdFilter"}},
        "formatters": {
            "json": {"()": "vetclinic.logs.JsonFormatter"},
            "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["request_id"],
                "formatter": "json" if as_json else "plain",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.access": {"handlers": [], "propagate": False},
            "django.security.DisallowedHost": {"level": "CRITICAL"},  # scanners; the request's own line says 400
        },
    }


class AccessLogMiddleware:
    """Writes one line for each request: who, which route, how it ended, how long, and how many queries it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Time the request and count its queries."""
        counter = QueryCounter()
        token = request_id.set(getattr(request, "request_id", ""))
        start = time.perf_counter()
        try:
            with connection.execute_wrapper(counter):
                response = self.get_response(request)
            fields = {
                "method": request.method,
                "route": route(request),
                "status": response.status_code,
                "ms": round((time.perf_counter() - start) * 1000, 1),
                "queries": counter.count,
                "user": getattr(getattr(request, "user", None), "pk", None),
            }
            access.info("%(method)s %(route)s %(status)d" % fields, extra=fields)  # noqa: UP031 -- reads like the line it makes
            return response
        finally:
            request_id.reset(token)


class QueryCounter:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        """Count and go on."""
        self.count += 1
        return execute(*arguments)


def route(request: HttpRequest) -> str:
    """The pattern of the address, such as `pets/<int:pet_id>/`; `-` for what no pattern takes (static files, 404)."""
    match = request.resolver_match
    return "-" if match is None else f"/{match.route}"
