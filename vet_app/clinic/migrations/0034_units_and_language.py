"""The clinic's language and units, and temperatures to a hundredth of a degree: 101.4 °F is 38.56 °C.

PostgreSQL fills the new columns for the release before this one, and nothing is rewritten: constant defaults need no
rewriting, nor does a number whose column no longer limits its decimals. SQLite never limited them.
"""

import django.core.validators
from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

LANGUAGES = [
    ("", "As each browser asks for"),
    ("en", "English"),
    ("en-us", "English (USA)"),
    ("en-gb", "English (United Kingdom)"),
    ("de", "German"),
]
DEFAULTS = {"language": "", "weight_unit": "kg", "temperature_unit": "c"}


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0033_lots_of_vaccines"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="language",
            field=models.CharField(
                blank=True,
                choices=LANGUAGES,
                help_text=(
                    "Of pages, dates and times, and of all that is printed or sent. Everybody may choose another one."
                ),
                max_length=10,
                verbose_name="language",
            ),
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="temperature_unit",
            field=models.CharField(
                choices=[("c", "degrees Celsius (°C)"), ("f", "degrees Fahrenheit (°F)")],
                default="c",
                max_length=1,
                verbose_name="temperatures are in",
            ),
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="weight_unit",
            field=models.CharField(
                choices=[("kg", "kilograms (kg)"), ("lb", "pounds (lb)")],
                default="kg",
                max_length=2,
                verbose_name="animals are weighed in",
            ),
        ),
        on_postgresql(
            "".join(
                f"ALTER TABLE clinic_clinicsettings ALTER {name} SET DEFAULT '{it}';" for name, it in DEFAULTS.items()
            ),
            "".join(f"ALTER TABLE clinic_clinicsettings ALTER {name} DROP DEFAULT;" for name in DEFAULTS),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                on_postgresql(
                    "ALTER TABLE clinic_visit ALTER temp_c TYPE numeric",
                    "ALTER TABLE clinic_visit ALTER temp_c TYPE numeric(3, 1)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="visit",
                    name="temp_c",
                    field=models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=4,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(20),
                            django.core.validators.MaxValueValidator(45),
                        ],
                        verbose_name="temperature (°C)",
                    ),
                )
            ],
        ),
    ]
