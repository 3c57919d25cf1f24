"""From ``environments/*.yaml`` to Terraform JSON in ``cdktf.out/``: wiring only."""

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bindings

if TYPE_CHECKING:
    from cdktf import App

    from settings import Settings


def build_app(settings: "Settings", outdir: str | None = None) -> "App":
    """All stacks in the order in which they are deployed: state first, then each environment."""
    bindings.enable()
    from cdktf import App

    from stacks.helm import HelmStack
    from stacks.infrastructure import InfrastructureStack
    from stacks.state import StateStack

    app = App(outdir=outdir)
    StateStack(app, settings=settings)
    for environment in settings.environments:
        InfrastructureStack(app, project=settings.project, environment=environment)
        HelmStack(app, project=settings.project, environment=environment)
    return app


def synthesise(environments: Path | None = None, outdir: str | None = None) -> "Settings":
    """Read the settings and write every stack's JSON; if they are wrong, say so and exit with status 1.

    cdktf is imported only after validation, so errors appear immediately. Node starts first because it is slow.
    """
    gc.disable()  # the process is short-lived; garbage collection only costs time
    bindings.enable(start=True)
    from settings.loader import ENVIRONMENTS
    from settings.problems import SettingsError
    from settings.terminal import load_or_exit, show_errors

    settings = load_or_exit(environments or ENVIRONMENTS)
    try:
        build_app(settings, outdir).synth()
    except SettingsError as error:  # an override of a resource that there is not
        show_errors(error)
        sys.exit(1)
    return settings


def main() -> int:
    """Synthesise everything."""
    synthesise()
    return 0


if __name__ == "__main__":
    sys.exit(main())
