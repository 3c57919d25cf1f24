"""Use cases: the one place that changes the clinic's data.

Each function takes the `Actor` first, checks the right, makes its change and writes the audit entry in one transaction.
Refusals are Django's `ValidationError` (with fields) and `PermissionDenied`, and `vetclinic.errors.Conflict`.
"""
