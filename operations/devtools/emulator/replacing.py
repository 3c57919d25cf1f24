"""Put a method of our own in the place of one of moto's: the one way in which its classes are changed."""

from collections.abc import Callable
from typing import Any


def replace(owner: type, name: str, method: Callable[..., Any] | property) -> None:
    """Replace ``owner.name``.

    Raises:
        AttributeError: moto's class has no such member, as after an update of moto: what was replaced would then never be called.
    """
    getattr(owner, name)
    setattr(owner, name, method)
