"""Encryption of state and plans by OpenTofu itself, before they leave the machine that applies."""

from typing import Any

from settings.project import Project


def state_encryption(project: Project) -> dict[str, Any]:
    """OpenTofu's ``encryption`` block: a data key of the state's KMS key, and AES-GCM (OpenTofu: State and Plan Encryption).

    State that was written before is read as it is and encrypted when it is written next.
    """
    method, former = "${method.aes_gcm.state}", {"method": "${method.unencrypted.former}"}
    key = {"kms_key_id": f"alias/{project.name_prefix}-state", "region": project.region, "key_spec": "AES_256"}
    return {
        "key_provider": {"aws_kms": {"state": key}},
        "method": {"aes_gcm": {"state": {"keys": "${key_provider.aws_kms.state}"}}, "unencrypted": {"former": {}}},
        "state": {"method": method, "fallback": former},
        "plan": {"method": method},
        "remote_state_data_sources": {"default": {"method": method, "fallback": former}},
    }
