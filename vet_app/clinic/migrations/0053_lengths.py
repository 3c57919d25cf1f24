"""How long appointments of each kind last."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models

KINDS = {
    "consult_minutes": "a consultation lasts (minutes)",
    "vaccination_minutes": "a vaccination lasts (minutes)",
    "surgery_minutes": "a surgery lasts (minutes)",
    "follow_up_minutes": "a follow-up lasts (minutes)",
}


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0052_reminders"),
    ]

    operations = [
        migrations.AddField(
            "clinicsettings",
            name,
            models.PositiveSmallIntegerField(
                blank=True, null=True, validators=[MinValueValidator(5), MaxValueValidator(720)], verbose_name=words
            ),
        )
        for name, words in KINDS.items()
    ]
