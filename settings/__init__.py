"""What a team decides about its platform: plain, typed, frozen Python, without cdktf.

``load`` reads ``environments/`` and returns :class:`Settings`; nothing else in the project reads those files. ``checked`` makes the same of
settings that were written in Python.
"""

from settings.loader import Settings, checked, load
from settings.problems import Problem, SettingsError, SettingsWarning

__all__ = ["Problem", "Settings", "SettingsError", "SettingsWarning", "checked", "load"]
