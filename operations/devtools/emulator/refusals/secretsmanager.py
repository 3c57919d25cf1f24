"""Secrets Manager keeps a deleted secret's name until its recovery window is over (CreateSecret: InvalidRequestException)."""

from typing import Any

from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend

from operations.devtools.emulator.replacing import replace


def install() -> None:
    """Refuse the name of a secret that is scheduled for deletion; moto says of it that it exists."""
    create = SecretsManagerBackend.create_secret

    def create_secret(self: Any, name: str, *more: Any, **named: Any) -> Any:
        there = self.secrets.get(name) if name in self.secrets else None
        if there is not None and there.is_deleted():
            raise InvalidRequestException(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        return create(self, name, *more, **named)

    replace(SecretsManagerBackend, "create_secret", create_secret)
