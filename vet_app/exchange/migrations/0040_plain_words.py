"""Plainer labels. They are of the forms alone: the database is not changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0002_encoding"),
    ]

    operations = [
        migrations.AlterField(
            model_name="importfile",
            name="dates",
            field=models.CharField(
                choices=[
                    ("auto", "Detect automatically"),
                    ("dmy", "Day first (31/12/2024)"),
                    ("mdy", "Month first (12/31/2024)"),
                ],
                default="auto",
                max_length=4,
                verbose_name="dates",
            ),
        ),
        migrations.AlterField(
            model_name="importfile",
            name="duplicates",
            field=models.CharField(
                choices=[("skip", "Skip them"), ("create", "Import them as new owners")],
                default="skip",
                max_length=6,
                verbose_name="possible duplicates",
            ),
        ),
        migrations.AlterField(
            model_name="importfile",
            name="encoding",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Detect automatically"),
                    ("utf-8", "Unicode (UTF-8)"),
                    ("cp1252", "Western European (Windows)"),
                    ("cp1250", "Central European (Windows)"),
                    ("mac_roman", "Western European (Mac)"),
                ],
                default="",
                max_length=10,
                verbose_name="character encoding",
            ),
        ),
    ]
