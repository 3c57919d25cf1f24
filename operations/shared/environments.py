"""The environment that somebody names on a command line."""

from operations.shared.errors import Failure
from settings import Settings
from settings.environment import Environment


def named(settings: Settings, name: str) -> Environment:
    """The environment of this name.

    Raises:
        Failure: there is none; the text names those that there are.
    """
    known = [each.name for each in settings.environments]
    if name not in known:
        raise Failure(f"there is no environment {name!r}; there are {', '.join(known)} (environments/*.yaml)")
    return settings.environment(name)
