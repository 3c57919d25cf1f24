"""Quantities as Kubernetes writes them: CPUs and bytes (Kubernetes API conventions: Quantity)."""

KI, MI, GI, TI = (1024**power for power in (1, 2, 3, 4))
"""Bytes of each unit."""

UNITS = {"Ki": KI, "Mi": MI, "Gi": GI, "Ti": TI, "k": 1000, "M": 1000**2, "G": 1000**3}


def cores(cpu: str) -> float:
    """CPUs: ``100m`` is 0.1."""
    return float(cpu.removesuffix("m")) / 1000 if cpu.endswith("m") else float(cpu)


def millicores(cpu: str) -> int:
    """Thousandths of a CPU, as the scheduler counts: ``100m`` is 100, ``2`` is 2000."""
    return round(cores(cpu) * 1000)


def size(memory: str) -> int:
    """Bytes: ``1Ki`` is 1024, a number without unit is bytes. Raises ``ValueError`` for anything else."""
    unit = next((each for each in UNITS if memory.endswith(each)), "")
    return int(float(memory.removesuffix(unit)) * UNITS.get(unit, 1))
