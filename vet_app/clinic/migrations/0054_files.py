"""Files that were put with the wrong animal, and files that are in a bucket."""

from django.db import migrations, models

from vetclinic.on_postgresql import defaults_for_the_old_release


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0053_lengths"),
    ]

    operations = [
        migrations.AddField(
            "attachment", "location", models.CharField(blank=True, default="", editable=False, max_length=200)
        ),
        migrations.AddField(
            "attachment",
            "entered_in_error",
            models.BooleanField(default=False, editable=False, verbose_name="entered in error"),
        ),
        migrations.AddField(
            "attachment",
            "error_reason",
            models.CharField(blank=True, default="", editable=False, max_length=200, verbose_name="reason"),
        ),
        defaults_for_the_old_release("clinic_attachment", location="''", entered_in_error="false", error_reason="''"),
    ]
