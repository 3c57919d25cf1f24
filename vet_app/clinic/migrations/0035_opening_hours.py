"""Opening hours by weekday, vets' own, days off and the holidays of a region.

PostgreSQL fills the new columns for the release before this one; nothing is rewritten, and the new table is empty.
"""

import django.db.models.deletion
from django.db import migrations, models

import clinic.holidays
import clinic.opening
from vetclinic.constraints import check
from vetclinic.on_postgresql import on_postgresql

EMPTY = (("clinicsettings", "holidays"), ("clinicsettings", "hours"), ("vet", "hours"))


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0034_units_and_language"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="holidays",
            field=models.CharField(
                blank=True,
                help_text="A country or one with its region, such as US-CA or DE-BY; whoever books on one is told so.",
                max_length=10,
                validators=[clinic.holidays.check],
                verbose_name="public holidays of",
            ),
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="hours",
            field=models.CharField(
                blank=True,
                help_text="Such as Mo-Fr 08:00-12:00, 14:00-18:00; Sa 09:00-12:00. Empty: as the environment says.",
                max_length=200,
                validators=[clinic.opening.check],
                verbose_name="opening hours",
            ),
        ),
        migrations.AddField(
            model_name="vet",
            name="hours",
            field=models.CharField(
                blank=True,
                help_text="Such as Mo-Th 08:00-12:00, 13:00-17:00; Fr 08:00-12:00. Empty: whenever the clinic is open.",
                max_length=200,
                validators=[clinic.opening.check],
                verbose_name="hours of work",
            ),
        ),
        migrations.CreateModel(
            name="DaysOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("first_day", models.DateField(verbose_name="first day")),
                ("last_day", models.DateField(verbose_name="last day")),
                ("reason", models.CharField(max_length=120, verbose_name="reason")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "vet",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the clinic is closed.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="days_off",
                        to="clinic.vet",
                        verbose_name="vet",
                    ),
                ),
            ],
            options={
                "verbose_name": "days off",
                "verbose_name_plural": "days off",
                "ordering": ["-first_day", "id"],
            },
        ),
        migrations.AddConstraint(
            model_name="daysoff",
            constraint=check(models.Q(("last_day__gte", models.F("first_day"))), "days_off_end_after_first"),
        ),
        on_postgresql(
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} SET DEFAULT '';" for table, name in EMPTY),
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} DROP DEFAULT;" for table, name in EMPTY),
        ),
    ]
