"""Refusals that a person can act on. Pages and API translate them in one place each.

Wrong input is Django's own `ValidationError` with a dictionary of fields (form errors, HTTP 422); a missing right is
`PermissionDenied` (HTTP 403); everything below is a conflict with what is already recorded (HTTP 409).
"""

from __future__ import annotations


class Conflict(Exception):
    """The change does not fit the present state; `str()` is a translated sentence and `code` is stable for programs."""

    code = "conflict"


class Changed(Conflict):
    """Somebody else changed the record since it was read."""

    code = "changed"


class Locked(Conflict):
    """The record is closed; what remains possible is named in the message."""

    code = "locked"


class SlotTaken(Conflict):
    """The vet already has an appointment in that time."""

    code = "slot_taken"
