"""A payment knows the form it came from, and a bill that was credited is called so.

The column is empty for the release before this one, which writes no keys; the names of bills are one statement over the
few bills that have a credit note.
"""

from typing import Any

from django.db import migrations, models


def name_the_credited(apps: Any, schema_editor: Any) -> None:
    """Until now a credit note took back the whole bill, so every bill that has one is credited."""
    invoices = apps.get_model("clinic", "Invoice").objects.using(schema_editor.connection.alias)
    notes = invoices.filter(credit_of__isnull=False).exclude(status="void")
    invoices.filter(pk__in=list(notes.values_list("credit_of", flat=True))).update(status="credited")


def call_them_paid(apps: Any, schema_editor: Any) -> None:
    """As the release before this one called them."""
    invoices = apps.get_model("clinic", "Invoice").objects.using(schema_editor.connection.alias)
    invoices.filter(status="credited").update(status="paid")


class Migration(migrations.Migration):
    dependencies = [("clinic", "0005_visits_in_error")]
    operations = [
        # First, so that the table of payments is locked for its own change alone.
        migrations.RunPython(name_the_credited, call_them_paid),
        migrations.AddField(
            "payment",
            "key",
            models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True, verbose_name="key"),
        ),
        migrations.AlterField(
            "invoice",
            "status",
            models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("issued", "Unpaid"),
                    ("paid", "Paid"),
                    ("credited", "Credited"),
                    ("void", "Void"),
                ],
                default="draft",
                editable=False,
                max_length=10,
                verbose_name="status",
            ),
        ),
    ]
