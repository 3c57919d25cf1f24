"""The base of every settings model, and the field types that they share."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the settings: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _public_suffix_free(host: str) -> str:
    labels = host.split(".")
    if len(labels) < 2 or any(not label or len(label) > 63 for label in labels):
        raise ValueError("a host name has at least two labels of 1 to 63 characters, such as vet-app.example.com")
    return host


Host = Annotated[
    str,
    Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"),
    AfterValidator(_public_suffix_free),
]
"""A lower-case DNS name (RFC 1123)."""

ZoneLetter = Annotated[str, Field(pattern=r"^[a-z]$")]
"""The last letter of an availability zone: ``a`` in us-east-1 is us-east-1a."""

Cidr = IPv4Network
"""An IPv4 network in CIDR notation whose host bits are zero, such as 10.0.1.0/24."""

InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]
"""An EC2 instance type, such as t3.medium; known ones are in ``settings/instance_types.py``."""

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(m|Ki|Mi|Gi|Ti)?$")]
"""A Kubernetes resource quantity: 100m is a tenth of a CPU, 128Mi are mebibytes."""
