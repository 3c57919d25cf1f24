"""Tests of the clinic. `pytest --database postgresql` runs them on a throw-away cluster, the default is SQLite."""
