"""Packages that know nothing of this project, and could be in repositories of their own."""
