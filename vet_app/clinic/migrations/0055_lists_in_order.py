"""What Today and the lists show comes from indexes, however many years a clinic has."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0054_files"),
    ]

    operations = [
        migrations.AddIndex(
            "invoice",
            models.Index(
                models.Case(
                    models.When(status="issued", then=models.Value(0)),
                    models.When(status="draft", then=models.Value(1)),
                    default=models.Value(2),
                    output_field=models.IntegerField(),
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="invoice_unpaid_first",
            ),
        ),
        migrations.AddIndex(
            "invoice",
            models.Index(condition=models.Q(status="issued"), fields=["owner"], name="invoice_issued"),
        ),
        migrations.AddIndex("visit", models.Index(fields=["-at", "-id"], name="visit_newest")),
        migrations.AddIndex(
            "visit",
            models.Index(condition=models.Q(locked_at__isnull=True), fields=["-at", "-id"], name="visit_open"),
        ),
        migrations.AddIndex("appointment", models.Index(fields=["starts_at"], name="appointment_start")),
    ]
