"""Django's SQLite, with transactions that take the write lock at once (see base.py)."""
