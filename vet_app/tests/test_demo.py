"""The demonstration clinic: complete, audited, and loading it again changes nothing."""

from __future__ import annotations

from typing import Dict

import pytest
from django.apps import apps
from django.core.management import call_command

from audit.models import AuditEntry


def counts() -> Dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


@pytest.mark.django_db
def test_loading_twice_is_loading_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo")
    first = counts()
    assert first["clinic.Appointment"] >= 10
    assert first["clinic.Pet"] >= 8
    assert AuditEntry.objects.filter(actor="system:demo").count() > 40
    call_command("demo")
    assert counts() == first
    assert "password" in capsys.readouterr().out
