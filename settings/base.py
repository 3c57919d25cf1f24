"""The base of every settings model, and the field types that they share."""

from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from settings.instance_types import INSTANCE_TYPES
from settings.regions import ZONES


class Section(BaseModel):
    """A part of the settings: frozen, a key that it does not know is an error, and ``"3"`` is not the number 3."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"


def _labels_are_short(name: str) -> str:
    """Each label of a DNS name has at most 63 characters (RFC 1035, 2.3.4)."""
    longest = max(name.split("."), key=len)
    if len(longest) > 63:
        raise ValueError(f"a label of a DNS name has at most 63 characters; {longest} has {len(longest)}")
    return name


def _as_text(value: Any) -> Any:
    """A number is not a network, although ``ipaddress`` would take it for an address."""
    return value if isinstance(value, IPv4Network) else str(value)


Domain = Annotated[
    str,
    Field(max_length=253, pattern=rf"^{LABEL}(\.{LABEL})+$", examples=["clinic.example.com"]),
    AfterValidator(_labels_are_short),
]
"""A lower-case DNS name of two labels or more (RFC 1123)."""

Host = Annotated[
    Domain,
    WithJsonSchema({"type": "string", "pattern": rf"^({LABEL}\.)*({LABEL}\.{LABEL}|\{{domain\}})$", "maxLength": 253}),
]
"""A DNS name that may end with ``{domain}`` in the file, for the project's domain."""

Region = Annotated[
    str,
    Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", examples=["us-east-1"]),
    WithJsonSchema({"type": "string", "enum": list(ZONES)}),
]
"""An AWS region; known ones are in ``settings/regions.py``."""

ZoneLetter = Annotated[str, Field(pattern=r"^[a-z]$", examples=["a"])]
"""The last letter of an availability zone: ``a`` in us-east-1 is us-east-1a."""

Cidr = Annotated[
    IPv4Network,
    BeforeValidator(_as_text),
    Field(strict=False, examples=["10.0.1.0/24"]),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]{1,3}\.){3}[0-9]{1,3}(/[0-9]{1,2})?$"}),
]
"""An IPv4 network in CIDR notation whose host bits are zero, such as 10.0.1.0/24."""

InstanceType = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["t3.large"]),
    WithJsonSchema({"type": "string", "enum": list(INSTANCE_TYPES)}),
]
"""An EC2 instance type, such as t3.medium; known ones are in ``settings/instance_types.py``."""

Cpu = Annotated[str, Field(pattern=r"^([0-9]+m|[0-9]+(\.[0-9]+)?)$", examples=["100m"])]
"""CPU as Kubernetes writes it: ``100m`` is a tenth of a CPU, ``"2"`` are two."""

Memory = Annotated[str, Field(pattern=r"^[0-9]+(Ki|Mi|Gi|Ti)$", examples=["128Mi"])]
"""Memory or storage as Kubernetes writes it, with a binary unit: ``128Mi``, ``5Gi``."""
