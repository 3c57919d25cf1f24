"""Stacks for tests of the check by AWS's constraints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import main
from tests.everything import everything
from tests.policy import aws

LONGEST = "longest-name"
"""An environment's name of the most characters that are allowed."""

Documents = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def changeable(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Such stacks for tests that copy and change them."""
    return everything_on(tmp_path_factory.mktemp("changeable"))


def everything_on(folder: Path, name: str = LONGEST, **more: Any) -> Documents:
    """The shipped stacks, and an environment with everything on and the longest name.

    :param more: further settings of that environment, and those of the ``project``.
    """
    settings = everything(folder, name=name, **more)
    main.build_app(settings, outdir=str(folder / "out")).synth()
    return aws.read(sorted((folder / "out/stacks").iterdir()))
