"""PINs, and passkeys as a second step at log-in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from vetclinic.on_postgresql import defaults_for_the_old_release


class Migration(migrations.Migration):
    dependencies = [("accounts", "0050_technician")]
    operations = [
        migrations.AddField(
            "user", "pin", models.CharField(blank=True, default="", editable=False, max_length=128, verbose_name="PIN")
        ),
        defaults_for_the_old_release("accounts_user", pin="''"),
        migrations.CreateModel(
            name="Passkey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("credential_id", models.BinaryField(max_length=1024, unique=True)),
                ("public_key", models.BinaryField()),
                ("sign_count", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passkeys",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={"verbose_name": "passkey", "verbose_name_plural": "passkeys", "ordering": ["created_at"]},
        ),
    ]
