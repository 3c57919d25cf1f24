"""What a team decides about its platform: plain, typed, frozen Python, without cdktf.

``load`` reads ``environments/`` and returns :class:`Settings`; nothing else in the project reads those files.
"""

from settings.loader import Settings, load
from settings.problems import Problem, SettingsError, SettingsWarning

__all__ = ["Problem", "Settings", "SettingsError", "SettingsWarning", "load"]
