"""Load the settings for a process, and say in one plain paragraph why it cannot start."""

from __future__ import annotations

import os
import sys


def configure() -> None:
    """Point Django at the settings and read them now; a wrong environment ends the process with its message, code 2.

    Settings that were read before stay: a second reading would drop what was set since, as the tests do.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vetclinic.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        if not settings.configured:
            settings._setup()  # type: ignore[misc]
    except ImproperlyConfigured as problem:
        sys.stderr.write(f"The clinic cannot start: {problem}\n")
        sys.exit(2)
