"""Load the settings for a process, and say in one plain paragraph why it cannot start."""

from __future__ import annotations

import os
import sys


def configure() -> None:
    """Point Django at the settings and read them now; a wrong environment ends the process with its message, code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vetclinic.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings._setup()  # type: ignore[misc]
    except ImproperlyConfigured as problem:
        sys.stderr.write(f"The clinic cannot start: {problem}\n")
        sys.exit(2)
