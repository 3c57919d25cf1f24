"""Save a row so that a race for a unique value ends in words."""

from __future__ import annotations

from django.db import IntegrityError, models, transaction


def store(row: models.Model) -> None:
    """Check and save. A row that came in between and breaks a uniqueness becomes the same ValidationError as before."""
    row.full_clean()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        row.validate_unique()
        row.validate_constraints()
        raise
