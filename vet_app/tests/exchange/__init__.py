"""Tests of import, export and recovery."""
