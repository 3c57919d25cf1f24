"""The base of every settings model, and the field types that they share."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from settings.instance_types import INSTANCE_TYPES
from settings.quantities import MI, TI, cores, size
from settings.regions import ZONES

EXPRESSIONS = ("${", "%{")
"""Starts of what Terraform evaluates in a text (Terraform language: strings and templates)."""


def literal(text: str) -> str:
    """A text as Terraform's JSON must hold it to mean just its characters (Terraform language: strings and templates, escapes)."""
    for start in EXPRESSIONS:
        text = text.replace(start, start[0] + start)
    return text


def literal_tree(value: Any) -> Any:
    """The same for every text in maps and lists, keys included."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Mapping):
        return {literal(key): literal_tree(each) for key, each in value.items()}
    return [literal_tree(each) for each in value] if isinstance(value, list) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for item in pair for text in _texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _texts(item))


class Section(BaseModel):
    """A part of the settings: frozen, a key that it does not know is an error, and ``"3"`` is not the number 3.

    Its texts go into Terraform's JSON, into files on the nodes and into shells, so they are one line, and nothing in them is evaluated.
    A section whose texts are words for people (``WORDS``) may hold what Terraform would evaluate, and one that holds texts of another
    program (``DOCUMENTS``) several lines as well: who hands them on escapes them with :func:`literal`.
    """

    WORDS: ClassVar[frozenset[str]] = frozenset()
    """Fields that are words for people."""

    DOCUMENTS: ClassVar[frozenset[str]] = frozenset()
    """Fields that are for another program: values of charts, manifests, scripts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    @field_validator("*")
    @classmethod
    def texts_are_texts(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what Terraform would evaluate, and characters that nobody sees."""
        documents = info.field_name in cls.DOCUMENTS
        for text in _texts(value):
            if not documents and info.field_name not in cls.WORDS and any(start in text for start in EXPRESSIONS):
                raise ValueError("must not hold ${ or %{: Terraform would evaluate what follows")
            shown = text.replace("\n", "").replace("\t", "") if documents else text
            if not shown.isprintable():
                raise ValueError(
                    "must be one line of visible characters: it holds a line break or another that nobody sees"
                )
        return value


LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
"""A label of a DNS name, and a name of most things in Kubernetes."""


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


def _in_range(of: str, amount: float, low: float, high: float, words: str) -> str:
    if not low <= amount <= high:
        raise ValueError(f"must be {words}")
    return of


def _some_cpu(text: str) -> str:
    """A thousandth of a CPU is the least that Kubernetes counts; no EC2 type has more than 1,000."""
    return _in_range(text, cores(text), 0.001, 1000, "between 1m and 1000 CPUs")


def _some_memory(text: str) -> str:
    """A container of less than a few MiB cannot start; no EC2 type or gp3 volume has more than some TiB."""
    return _in_range(text, size(text), 4 * MI, 64 * TI, "between 4Mi and 64Ti")


Cpu = Annotated[
    str, Field(pattern=r"^([0-9]{1,9}m|[0-9]{1,6}(\.[0-9]{1,3})?)$", examples=["100m"]), AfterValidator(_some_cpu)
]
"""CPU as Kubernetes writes it: ``100m`` is a tenth of a CPU, ``"2"`` are two."""

Memory = Annotated[str, Field(pattern=r"^[0-9]{1,12}(Ki|Mi|Gi|Ti)$", examples=["128Mi"]), AfterValidator(_some_memory)]
"""Memory or storage as Kubernetes writes it, with a binary unit: ``128Mi``, ``5Gi``."""
