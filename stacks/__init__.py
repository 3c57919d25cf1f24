"""Stacks only wire constructs together: each reads like a table of contents."""
