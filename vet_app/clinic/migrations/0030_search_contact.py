"""The search looks at e-mails and addresses.

The column is empty for the release before this one, and PostgreSQL fills it in the rows that one writes; what is empty
is filled by `clinic.services.derived` after the migration, a row at a time, while the clinic works.
"""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

FORWARD = """
ALTER TABLE clinic_owner ALTER COLUMN search_contact SET DEFAULT '';
CREATE INDEX owner_search_contact_trgm ON clinic_owner USING gin (search_contact gin_trgm_ops);
"""
BACKWARD = """
DROP INDEX owner_search_contact_trgm;
ALTER TABLE clinic_owner ALTER COLUMN search_contact DROP DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0024_prices_with_tax")]
    operations = [
        migrations.AddField("owner", "search_contact", models.TextField(default="", editable=False)),
        on_postgresql(FORWARD, BACKWARD),
    ]
