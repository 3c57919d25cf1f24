"""Estimates: drafts that say until when they hold, and the bills that are made of them.

The columns are empty, so nothing is rewritten. The release before this one sees an estimate as a draft; the new
constraint, which no row breaks, keeps it from issuing one.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from vetclinic.constraints import check


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0035_opening_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="from_estimate",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bills",
                to="clinic.invoice",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="valid_until",
            field=models.DateField(blank=True, null=True, verbose_name="valid until"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=check(Q(valid_until__isnull=True) | Q(status="draft"), "estimate_is_draft"),
        ),
    ]
