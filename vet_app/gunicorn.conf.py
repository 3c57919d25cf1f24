"""gunicorn for a pod of 200m CPU and 256Mi: `gunicorn` alone starts the clinic with this file."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from vetclinic.start import configure

configure()  # a wrong environment stops the master with its message, not every worker

from django.conf import settings as clinic  # noqa: E402 -- after the settings are known good
from gunicorn.config import KNOWN_SETTINGS  # noqa: E402

from vetclinic import draining, env, logs  # noqa: E402

wsgi_app = "vetclinic.wsgi"
bind = env.text("WEB_BIND", "0.0.0.0:8000")
# One worker: two do not fit 256Mi with room to spare and share the same fifth of a CPU. Hence no `max_requests` either.
workers = 1
worker_class = "vetclinic.draining.DrainingWorker"
threads = env.number("WEB_THREADS", 4, low=1, high=64)
# Longer than the proxy keeps an idle connection (ingress-nginx 60 s), so that it is the proxy who closes it.
keepalive = 75
timeout = 60
graceful_timeout = draining.drain_seconds() + draining.LONGEST_REQUEST
# The heartbeat's file: in memory, because the root file system may be read only and a disk may stall.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- gunicorn makes an unlinked file
if any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS):
    control_socket_disable = True  # its socket would lie in the home folder
# Django reads X-Forwarded-Proto itself, as far as TRUSTED_PROXIES allows.
forwarded_allow_ips = ""
secure_scheme_headers: dict = {}
accesslog = None  # vetclinic.logs writes one line a request
logconfig_dict = logs.configuration(clinic.LOG_LEVEL, as_json=clinic.PRODUCTION)
chdir = str(Path(inspect.getfile(configure)).resolve().parent.parent)


def pre_request(worker: object, request: object) -> None:
    """Close connections one by one while the process ends."""
    draining.close_after(request)


def post_worker_init(worker: object) -> None:
    """Serve the measurements of this worker."""
    from vetclinic import metrics

    address, _colon, port = env.text("METRICS_BIND", "0.0.0.0:9000").rpartition(":")
    metrics.serve(address, int(port))
