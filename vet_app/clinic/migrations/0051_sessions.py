"""How long people stay logged in, when the screen locks, and who needs a second step at log-in."""

import django.core.validators
from django.db import migrations, models

from vetclinic.on_postgresql import defaults_for_the_old_release

SECOND_FACTOR = [
    ("optional", "whoever sets one up"),
    ("managers", "managers, and whoever sets one up"),
    ("everybody", "everybody"),
]


def between(low: int, high: int) -> list:
    """Validators of a number."""
    return [django.core.validators.MinValueValidator(low), django.core.validators.MaxValueValidator(high)]


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0050_technicians"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="second_factor",
            field=models.CharField(
                choices=SECOND_FACTOR,
                default="optional",
                help_text="A code from an app, or a passkey. Anyone without one is asked to set it up first.",
                max_length=10,
                verbose_name="second step at log-in for",
            ),
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="session_hours",
            field=models.PositiveSmallIntegerField(
                default=12,
                help_text="Counted from the log-in. Applies to log-ins from now on.",
                validators=between(1, 24),
                verbose_name="log out after (hours)",
            ),
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="idle_minutes",
            field=models.PositiveSmallIntegerField(
                blank=True,
                default=30,
                help_text="After no key press or click. A PIN or the password unlocks it. Empty: never.",
                null=True,
                validators=between(1, 240),
                verbose_name="lock the screen after (minutes)",
            ),
        ),
        defaults_for_the_old_release(
            "clinic_clinicsettings", second_factor="'optional'", session_hours="12", idle_minutes="30"
        ),
    ]
