"""From ``environments/*.yaml`` to Terraform JSON in ``cdktf.out/``: wiring only."""

import sys
from typing import TYPE_CHECKING

from settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from cdktf import App


def build_app(settings: Settings, outdir: str | None = None) -> "App":
    """All stacks in the order in which they are deployed: state first, then each environment."""
    from cdktf import App

    from stacks.infrastructure import InfrastructureStack
    from stacks.state import StateStack

    app = App(outdir=outdir)
    StateStack(app, settings=settings)
    for environment in settings.environments:
        InfrastructureStack(app, project=settings.project, environment=environment)
    return app


def main() -> int:
    """Synthesise everything; settings are checked before cdktf is loaded, so that mistakes answer at once."""
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    build_app(settings).synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
