"""Data in and out: CSV import and export, one patient's record for another clinic, recovery from a backup.

For pages: `importing` (stage, preview, apply, discard) with `report`, and `exporting` (clients, due reminders, a
patient's record). All of it takes the `Actor` first, checks the right and is audited.
"""
