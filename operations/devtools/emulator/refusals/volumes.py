"""A volume grows and never shrinks (EC2 API reference, ModifyVolume: Size must be equal to or greater than that of the volume)."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models.elastic_block_store import EBSBackend

from operations.devtools.emulator.replacing import replace


class Smaller(ServiceException):
    """What EC2 answers to a size below that of the volume."""

    code = "InvalidParameterValue"


def install() -> None:
    """Refuse a smaller size; moto takes it."""
    modify = EBSBackend.modify_volume

    def modify_volume(self: Any, volume_id: str, target_size: int | None = None, *more: Any, **named: Any) -> Any:
        size = self.get_volume(volume_id).size
        if target_size is not None and int(target_size) < size:
            raise Smaller(f"New size cannot be smaller than existing size {size}")
        return modify(self, volume_id, target_size, *more, **named)

    replace(EBSBackend, "modify_volume", modify_volume)
