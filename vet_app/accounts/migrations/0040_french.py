"""French is a language that a person may choose. The database is not changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_user_language"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "As the clinic"),
                    ("en", "English"),
                    ("en-us", "English (USA)"),
                    ("en-gb", "English (United Kingdom)"),
                    ("de", "German"),
                    ("fr", "French"),
                ],
                max_length=10,
                verbose_name="language",
            ),
        ),
    ]
