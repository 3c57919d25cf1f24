"""The language that a person has chosen; PostgreSQL fills it for the release before this one. Nothing is rewritten."""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

LANGUAGES = [
    ("", "As the clinic"),
    ("en", "English"),
    ("en-us", "English (USA)"),
    ("en-gb", "English (United Kingdom)"),
    ("de", "German"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_user_version")]
    operations = [
        migrations.AddField(
            "user",
            "language",
            models.CharField(blank=True, choices=LANGUAGES, max_length=10, verbose_name="language"),
        ),
        on_postgresql(
            "ALTER TABLE accounts_user ALTER COLUMN language SET DEFAULT ''",
            "ALTER TABLE accounts_user ALTER COLUMN language DROP DEFAULT",
        ),
    ]
