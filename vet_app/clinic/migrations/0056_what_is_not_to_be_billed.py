"""Somebody may say that nothing more of a visit is to be billed.

Visits of the last weeks at which nothing with a price was given were not asked about until now, so they stay settled.
The column is empty for all others, and for what the release before this one writes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.utils import timezone


def settle_what_was_not_asked(apps: Any, _schema_editor: Any) -> None:
    """Close the visits without a price; those that are older than what is asked about need nothing."""
    since = timezone.now() - timedelta(days=90)
    priced = [
        apps.get_model("clinic", name).objects.filter(product__isnull=False, visit__isnull=False).values("visit")
        for name in ("Vaccination", "Prescription")
    ]
    recent = apps.get_model("clinic", "Visit").objects.filter(at__gte=since)
    recent.exclude(pk__in=priced[0]).exclude(pk__in=priced[1]).update(billing_closed_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0055_lists_in_order"),
    ]

    operations = [
        migrations.AddField(
            model_name="visit",
            name="billing_closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="nothing more to bill"),
        ),
        migrations.RunPython(settle_what_was_not_asked, migrations.RunPython.noop),
    ]
