"""Tests of what keeps the clinic running: migrations, backup, commands, races."""
