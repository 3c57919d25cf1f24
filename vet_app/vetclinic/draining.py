"""A gunicorn worker that loses no request when it is told to end.

On SIGTERM Kubernetes and proxies still send requests for a moment, until they have noticed. gunicorn stops accepting at
once and drops what waits in the socket's queue (its issues 2593 and 3397), so this worker goes on for DRAIN_SECONDS:
/readyz says no, every answer closes its connection, and only then the usual graceful end follows.
"""

from __future__ import annotations

import threading
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from vetclinic import env, health

DRAIN_SECONDS = 10
LONGEST_REQUEST = 20


def drain_seconds() -> int:
    """How long a process that was told to end goes on serving."""
    return env.number("DRAIN_SECONDS", DRAIN_SECONDS, high=300)


def close_after(request: Any) -> None:
    """Announce with the answer that the connection will be closed, once the process has been told to end.

    Not by setting `keepalive` to 0: that would close connections whose last answer has promised to keep them open.
    """
    if health.draining.is_set():
        request.force_close()


class DrainingWorker(ThreadWorker):
    """gunicorn's threaded worker with a time of grace before it stops to accept."""

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """SIGTERM: become unready now, end later. It may come twice (to the group, and from the master)."""
        if health.draining.is_set():
            return
        health.draining.set()
        timer = threading.Timer(drain_seconds(), super().handle_exit, (sig, frame))
        timer.daemon = True
        timer.start()
