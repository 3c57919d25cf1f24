"""What every object of the application is made with: its namespace, and what must be there first."""

from dataclasses import dataclass, replace

from cdktf import ITerraformDependable

from modules.terraform_blocks import Block


@dataclass(frozen=True)
class ObjectContext:
    """A namespace, and what must be there before an object is made in it."""

    namespace: str
    """Its name."""

    depends_on: list[ITerraformDependable]
    """What Terraform makes first, and destroys last."""

    def depending_on(self, *more: ITerraformDependable) -> "ObjectContext":
        """The same namespace, after more."""
        return replace(self, depends_on=[*self.depends_on, *more])

    def metadata(self, name: str, labels: dict[str, str], **more: dict[str, str]) -> Block:
        """An object's ``metadata``; ``more`` are annotations."""
        return {"name": name, "namespace": self.namespace, "labels": labels, **more}
