"""From ``environments/*.yaml`` to Terraform JSON in ``cdktf.out/``: wiring only."""

import sys
from typing import TYPE_CHECKING

import bindings
from settings import Settings
from settings.terminal import load_or_exit

if TYPE_CHECKING:
    from cdktf import App


def build_app(settings: Settings, outdir: str | None = None) -> "App":
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


def main() -> int:
    """Synthesise everything; settings are checked before cdktf is loaded, so that mistakes answer at once."""
    build_app(load_or_exit()).synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
