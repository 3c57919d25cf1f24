"""Chooses the database before Django reads its settings (pyproject.toml loads this with `-p tests.plugin`)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import List

import pytest

from tests.postgres import cluster

CLUSTER = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--database sqlite|postgresql."""
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="which database to test on")
    parser.addoption(
        "--with-once", action="store_true", default=True, help="with tests that are marked `once` (default)"
    )
    parser.addoption("--without-once", dest="with_once", action="store_false", help="without them")
    parser.addoption("--without-long", action="store_true", help="without tests that are marked `long`")


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Leave out what runs elsewhere: tests without a database on PostgreSQL, `once` on the second Python, `long`."""
    options = config.option
    left_out = set()
    if options.database == "postgresql":
        left_out.add("no_database")
    if not options.with_once:
        left_out.add("once")
    if options.without_long:
        left_out.add("long")
    gone = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=gone)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start from an environment that is the same everywhere, with the chosen database."""
    for name in (
        "VET_ENV",
        "DATABASE_URL",
        "PGHOST",
        "SECRET_KEY",
        "EMAIL_URL",
        "PUBLIC_URL",
        "TIME_ZONE",
        "LANGUAGE_CODE",
    ):
        os.environ.pop(name, None)
    if early_config.known_args_namespace.database == "postgresql":
        try:
            os.environ.update(CLUSTER.enter_context(cluster()))
        except RuntimeError as problem:
            pytest.exit(str(problem), returncode=3)


def pytest_unconfigure() -> None:
    """Stop the cluster."""
    CLUSTER.close()
