"""What people say about a file's headings and words, and files that hold a price list."""

from django.db import migrations, models

from vetclinic.on_postgresql import defaults_for_the_old_release

KINDS = [("clients", "Owners, pets and their records"), ("prices", "The price list")]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0040_plain_words")]
    operations = [
        migrations.AddField(
            "importfile",
            "kind",
            models.CharField(choices=KINDS, default="clients", max_length=10, verbose_name="content"),
        ),
        migrations.AddField("importfile", "mapping", models.JSONField(default=dict, editable=False)),
        defaults_for_the_old_release("exchange_importfile", kind="'clients'", mapping="'{}'"),
        migrations.CreateModel(
            name="HeadingMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("headings", models.CharField(editable=False, max_length=64)),
                ("mapping", models.JSONField(default=dict)),
            ],
            options={"verbose_name": "known headings", "verbose_name_plural": "known headings"},
        ),
        migrations.AddConstraint(
            model_name="headingmapping",
            constraint=models.UniqueConstraint(fields=("kind", "headings"), name="heading_mapping_once"),
        ),
    ]
