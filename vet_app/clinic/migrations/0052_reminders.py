"""Reminders by the way that an owner prefers, of appointments too, and what an import brings waiting for review.

Telephone was what an owner preferred of whom nobody had asked, and e-mail was sent all the same: such owners have no
preference now, so that nothing changes for them.
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from vetclinic.on_postgresql import defaults_for_the_old_release

CONTACTS = [("any", "No preference"), ("phone", "Telephone"), ("email", "E-mail"), ("post", "Post")]
STATUS = [("sending", "Being sent"), ("sent", "Sent"), ("failed", "Failed")]


def between(low: int, high: int) -> list:
    """Validators of a number."""
    return [django.core.validators.MinValueValidator(low), django.core.validators.MaxValueValidator(high)]


def no_preference(apps, _schema_editor):
    """What was never asked is no preference."""
    apps.get_model("clinic", "Owner").objects.filter(contact_preference="phone").update(contact_preference="any")


def telephone(apps, _schema_editor):
    """The former release knows no owner without a preference."""
    apps.get_model("clinic", "Owner").objects.filter(contact_preference="any").update(contact_preference="phone")


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0051_sessions"),
    ]

    operations = [
        migrations.AlterField(
            "owner",
            "contact_preference",
            models.CharField(choices=CONTACTS, default="any", max_length=10, verbose_name="prefers"),
        ),
        migrations.RunPython(no_preference, telephone),
        migrations.AddField(
            "reminder", "held", models.BooleanField(default=False, editable=False, verbose_name="waiting for review")
        ),
        defaults_for_the_old_release("clinic_reminder", held="false"),
        migrations.AddField(
            "reminderrun", "left", models.PositiveIntegerField(default=0, verbose_name="left for the next day")
        ),
        defaults_for_the_old_release("clinic_reminderrun", left="0"),
        migrations.AddField(
            "clinicsettings",
            "appointment_reminder_days",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="Sent to owners who agreed to reminders. Empty: none are sent.",
                null=True,
                validators=between(1, 14),
                verbose_name="remind of appointments (days before)",
            ),
        ),
        migrations.AddField(
            "clinicsettings",
            "reminders_a_day",
            models.PositiveSmallIntegerField(
                blank=True,
                default=100,
                help_text="The others follow on the next days. Empty: no limit.",
                null=True,
                validators=between(1, 10_000),
                verbose_name="owners e-mailed per day, at most",
            ),
        ),
        defaults_for_the_old_release("clinic_clinicsettings", reminders_a_day="100"),
        migrations.CreateModel(
            name="AppointmentNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("starts_at", models.DateTimeField(verbose_name="starts")),
                ("channel", models.CharField(default="email", max_length=10, verbose_name="channel")),
                (
                    "status",
                    models.CharField(choices=STATUS, default="sending", max_length=10, verbose_name="status"),
                ),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="error")),
                (
                    "appointment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="clinic.appointment",
                    ),
                ),
            ],
            options={
                "verbose_name": "reminder of an appointment",
                "verbose_name_plural": "reminders of appointments",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="appointmentnotice",
            constraint=models.UniqueConstraint(fields=("appointment", "starts_at"), name="notice_once_per_time"),
        ),
    ]
