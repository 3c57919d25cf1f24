"""Erasing is an action of its own. The database is not changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(
                choices=[
                    ("create", "Created"),
                    ("update", "Changed"),
                    ("status", "Status changed"),
                    ("overbook", "Double booking allowed"),
                    ("lock", "Locked"),
                    ("amend", "Amended"),
                    ("void", "Voided"),
                    ("issue", "Issued"),
                    ("credit", "Credited"),
                    ("pay", "Payment taken"),
                    ("merge", "Merged"),
                    ("transfer", "Transferred"),
                    ("send", "Message sent"),
                    ("revoke", "Revoked"),
                    ("login", "Logged in"),
                    ("logout", "Logged out"),
                    ("view", "Viewed"),
                    ("export", "Exported"),
                    ("import", "Imported"),
                    ("recover", "Recovered from backup"),
                    ("erase", "Erased"),
                ],
                max_length=12,
                verbose_name="action",
            ),
        ),
    ]
