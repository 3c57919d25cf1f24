"""Tests of the clinic. `pytest --database postgresql` runs them on a temporary cluster, the default is SQLite."""
