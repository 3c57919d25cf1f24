"""Table constraints that read the same on every Django we run on."""

from __future__ import annotations

from typing import Any

import django
from django.db import models


def check(condition: models.Q, name: str) -> models.CheckConstraint:
    """A CHECK constraint; its keyword was renamed from `check` to `condition` in Django 5.1."""
    arguments: Any = {"condition" if django.VERSION >= (5, 1) else "check": condition, "name": name}
    return models.CheckConstraint(**arguments)
