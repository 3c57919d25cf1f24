"""A visit can be taken back. PostgreSQL fills the columns for the release before this one, which does not know them."""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql


class Migration(migrations.Migration):
    dependencies = [("clinic", "0004_versions_and_runs")]
    operations = [
        migrations.AddField(
            "visit",
            "entered_in_error",
            models.BooleanField(default=False, editable=False, verbose_name="entered in error"),
        ),
        migrations.AddField(
            "visit",
            "error_reason",
            models.CharField(blank=True, default="", editable=False, max_length=200, verbose_name="reason"),
            preserve_default=False,
        ),
        on_postgresql(
            "ALTER TABLE clinic_visit"
            " ALTER COLUMN entered_in_error SET DEFAULT false, ALTER COLUMN error_reason SET DEFAULT ''",
            "ALTER TABLE clinic_visit"
            " ALTER COLUMN entered_in_error DROP DEFAULT, ALTER COLUMN error_reason DROP DEFAULT",
        ),
    ]
