"""Chooses the database before Django reads its settings (pyproject.toml loads this with `-p tests.plugin`)."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from tests.postgres import cluster

CLUSTER = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--database sqlite|postgresql."""
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="which database to test on")


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
