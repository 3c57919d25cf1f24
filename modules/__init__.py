"""Constructs: one concern each. They take typed settings, check them, and expose objects."""
