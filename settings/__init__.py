"""What a team decides about its platform: plain, typed, frozen Python, without cdktf.

``load`` reads ``environments/`` and returns :class:`Settings`; nothing else in the project reads YAML.
"""
