"""Encryption of state and plans by OpenTofu itself, before they leave the machine that applies."""

from typing import Any

from settings.names import state_encryption_key
from settings.project import Project


def state_encryption(project: Project) -> dict[str, Any]:
    """OpenTofu's ``encryption`` block: a data key of the state's KMS key, and AES-GCM (OpenTofu: State and Plan Encryption).

    State is read encrypted or not, and is written next as the setting says. Methods are named bare, where OpenTofu takes no
    template; keys are an expression.
    """
    encrypted, plain = "method.aes_gcm.state", "method.unencrypted.plain"
    method, former = (encrypted, plain) if project.state_encryption == "encrypt" else (plain, encrypted)
    key = {"kms_key_id": f"alias/{state_encryption_key(project)}", "region": project.region, "key_spec": "AES_256"}
    written = {"method": method, "fallback": {"method": former}}
    return {
        "key_provider": {"aws_kms": {"state": key}},
        "method": {"aes_gcm": {"state": {"keys": "${key_provider.aws_kms.state}"}}, "unencrypted": {"plain": {}}},
        "state": written,
        "plan": {"method": method},
        "remote_state_data_sources": {"default": written},
    }
