"""Where an object of the application goes, and after what."""

from dataclasses import dataclass, replace

from cdktf import ITerraformDependable

from modules.blocks import Block


@dataclass(frozen=True)
class Placement:
    """A namespace, and what must be there before an object is made in it."""

    namespace: str
    """Its name."""

    wait_for: list[ITerraformDependable]
    """What Terraform makes first, and destroys last."""

    def after(self, *more: ITerraformDependable) -> "Placement":
        """The same place, later."""
        return replace(self, wait_for=[*self.wait_for, *more])

    def metadata(self, name: str, labels: dict[str, str], **more: dict[str, str]) -> Block:
        """An object's ``metadata``; ``more`` are annotations."""
        return {"name": name, "namespace": self.namespace, "labels": labels, **more}
