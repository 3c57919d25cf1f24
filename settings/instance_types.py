"""EC2 instance types that the platform knows: vCPUs, memory and architecture (AWS: Amazon EC2 instance types)."""

import re
from dataclasses import dataclass

X86_64, ARM64 = "x86_64", "arm64"
"""Processor architectures, as images name them (EC2: DescribeImages)."""

BURSTABLE_GIB = {"nano": 0.5, "micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
"""Memory of t3, t3a and t4g by size; up to large they have 2 vCPUs."""

BASELINE_PERCENT = {
    f"{family}.{size}": percent
    for family in ("t3", "t3a", "t4g")
    for size, percent in {
        "nano": 5,
        "micro": 10,
        "small": 20,
        "medium": 20,
        "large": 30,
        "xlarge": 40,
        "2xlarge": 40,
    }.items()
}
"""Percent of each vCPU that a burstable machine may use all the time without being charged for more (EC2 user guide: key concepts for burstable
performance instances)."""

FAMILIES = {
    "m5": (4, (1, 2, 4, 8, 12, 16, 24)),
    "m6i": (4, (1, 2, 4, 8, 12, 16, 24, 32)),
    "m7i": (4, (1, 2, 4, 8, 12, 16, 24, 48)),
    "c5": (2, (1, 2, 4, 9, 12, 18, 24)),
    "c6i": (2, (1, 2, 4, 8, 12, 16, 24, 32)),
    "r5": (8, (1, 2, 4, 8, 12, 16, 24)),
    "r6i": (8, (1, 2, 4, 8, 12, 16, 24, 32)),
    "m7g": (4, (1, 2, 4, 8, 12, 16)),
    "c7g": (2, (1, 2, 4, 8, 12, 16)),
    "r7g": (8, (1, 2, 4, 8, 12, 16)),
}
"""GiB per vCPU, and the multiples of xlarge (4 vCPUs) that exist; each family has large (2 vCPUs) as well."""


@dataclass(frozen=True)
class Machine:
    """What an instance type offers."""

    vcpus: int
    """Virtual CPUs."""

    memory_gib: float
    """Memory in GiB."""

    architecture: str = X86_64
    """Processor architecture, as images name it."""


def is_graviton(instance_type: str) -> bool:
    """Whether the name is of an arm64 family: a ``g`` follows the generation, as in t4g, m7g and c7gn."""
    return re.match(r"^[a-z]+[0-9]+g", instance_type) is not None


def _burstable(family: str, size: str) -> Machine:
    return Machine({"xlarge": 4, "2xlarge": 8}.get(size, 2), BURSTABLE_GIB[size], _architecture(family))


def _fixed(family: str, gib_per_vcpu: int, multiple: float) -> Machine:
    return Machine(int(4 * multiple), 4 * multiple * gib_per_vcpu, _architecture(family))


def _architecture(family: str) -> str:
    return ARM64 if is_graviton(family) else X86_64


def _size(multiple: float) -> str:
    return {0.5: "large", 1: "xlarge"}.get(multiple, f"{multiple}xlarge")


INSTANCE_TYPES: dict[str, Machine] = {
    **{f"{family}.{size}": _burstable(family, size) for family in ("t3", "t3a", "t4g") for size in BURSTABLE_GIB},
    **{
        f"{family}.{_size(multiple)}": _fixed(family, gib_per_vcpu, multiple)
        for family, (gib_per_vcpu, multiples) in FAMILIES.items()
        for multiple in (0.5, *multiples)
    },
}
"""Every known type by name, such as ``t3.large``."""
