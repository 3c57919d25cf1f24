"""``python -m settings.check [DIRECTORY]``: are the settings right? Prints ``ok`` and the warnings, or every error with
status 1."""

import sys
from pathlib import Path

from settings.loader import ENVIRONMENTS
from settings.terminal import load_or_exit, show_former_keys, show_warnings


def main(arguments: list[str]) -> None:
    """Check the directory named, or the repository's own."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        sys.exit("usage: python -m settings.check [DIRECTORY]")
    settings = load_or_exit(Path(arguments[0]).resolve() if arguments else ENVIRONMENTS)
    show_warnings(settings.warnings, sys.stdout)
    show_former_keys(settings.former_keys, sys.stdout)
    print(f"ok: {', '.join(environment.name for environment in settings.environments)}")


if __name__ == "__main__":
    main(sys.argv[1:])
