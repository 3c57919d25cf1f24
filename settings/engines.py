"""Programs that apply the stacks, and the oldest version of each that can."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """One of the programs that apply the stacks."""

    name: str
    minimum: tuple[int, int]
    """First version whose S3 backend locks by a file (changelogs of Terraform 1.11 and OpenTofu 1.10)."""

    registry: str
    """Host of the registry that a provider's short name means, and that the state names it by."""

    where: str

    def how_to_install(self, version: tuple[int, int]) -> str:
        """What somebody does who lacks that version."""
        return f"install {self.name} {version[0]}.{version[1]} or newer: {self.where}"


ENGINES = {
    "terraform": Engine(
        "Terraform", (1, 11), "registry.terraform.io", "https://developer.hashicorp.com/terraform/install"
    ),
    "tofu": Engine("OpenTofu", (1, 10), "registry.opentofu.org", "https://opentofu.org/docs/intro/install/"),
}
"""By the program's name. Where nothing is said, the first that is on the PATH is taken."""


def oldest(engine: str | None) -> tuple[int, int]:
    """Version that the stacks ask for: Terraform's unless the settings name another engine."""
    return ENGINES[engine or "terraform"].minimum
