"""Quantities as Kubernetes writes them: CPUs, and bytes with a binary unit (Kubernetes API conventions: Quantity)."""

KI, MI, GI, TI = (1024**power for power in (1, 2, 3, 4))
"""Bytes of each unit."""

UNITS = {"Ki": KI, "Mi": MI, "Gi": GI, "Ti": TI}


def cores(cpu: str) -> float:
    """CPUs: ``100m`` is 0.1."""
    return float(cpu.removesuffix("m")) / 1000 if cpu.endswith("m") else float(cpu)


def size(memory: str) -> int:
    """Bytes: ``1Ki`` is 1024."""
    return int(memory[:-2]) * UNITS[memory[-2:]]
