"""A version for people, as other records have; PostgreSQL fills it for the release before this one."""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.AddField("user", "version", models.PositiveIntegerField(default=1, editable=False)),
        on_postgresql(
            "ALTER TABLE accounts_user ALTER COLUMN version SET DEFAULT 1",
            "ALTER TABLE accounts_user ALTER COLUMN version DROP DEFAULT",
        ),
    ]
