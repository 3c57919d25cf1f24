"""How the letters of a file are read; PostgreSQL fills it for the release before this one. Nothing is rewritten."""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

ENCODINGS = [
    ("", "Find out from the file"),
    ("utf-8", "Unicode (UTF-8)"),
    ("cp1252", "Western European (Windows)"),
    ("cp1250", "Central European (Windows)"),
    ("mac_roman", "Western European (Mac)"),
]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]
    operations = [
        migrations.AddField(
            "importfile",
            "encoding",
            models.CharField(blank=True, choices=ENCODINGS, default="", max_length=10, verbose_name="letters"),
        ),
        on_postgresql(
            "ALTER TABLE exchange_importfile ALTER COLUMN encoding SET DEFAULT ''",
            "ALTER TABLE exchange_importfile ALTER COLUMN encoding DROP DEFAULT",
        ),
    ]
