"""What only PostgreSQL can promise: no overlapping appointments, and indexes for finding parts of names and numbers.

Both extensions are trusted ones, which the owner of a database may create without being a superuser (PostgreSQL 13
and newer, https://www.postgresql.org/docs/current/btree-gist.html).
"""

from django.db import migrations

from vetclinic.on_postgresql import on_postgresql

FORWARD = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
ALTER TABLE clinic_appointment ADD CONSTRAINT appointment_no_overlap EXCLUDE USING gist
  (vet_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&)
  WHERE (status NOT IN ('cancelled', 'no_show') AND NOT overbooked);
CREATE INDEX owner_search_name_trgm ON clinic_owner USING gin (search_name gin_trgm_ops);
CREATE INDEX pet_search_name_trgm ON clinic_pet USING gin (search_name gin_trgm_ops);
CREATE INDEX phone_digits_trgm ON clinic_phone USING gin (digits gin_trgm_ops);
"""
BACKWARD = """
ALTER TABLE clinic_appointment DROP CONSTRAINT appointment_no_overlap;
DROP INDEX owner_search_name_trgm;
DROP INDEX pet_search_name_trgm;
DROP INDEX phone_digits_trgm;
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0001_initial")]
    operations = [on_postgresql(FORWARD, BACKWARD)]
