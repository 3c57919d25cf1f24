"""A CycloneDX document from standard input to standard output: run by ``operations/supply_chain/sbom.py`` where the library is installed.

The same components make the same document: no time and no random number is in it.
"""

import json
import sys
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def component(part: Mapping[str, str]) -> Component:
    """A component of ``operations/supply_chain/sbom.py``'s."""
    return Component(
        type=ComponentType(part["type"]),
        name=part["name"],
        version=part["version"],
        bom_ref=f"{part['name']}@{part['version']}",
        purl=PackageURL.from_string(part["purl"]) if part["purl"] else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part["sha256"])] if part["sha256"] else [],
    )


def document(description: str) -> str:
    """The document.

    Raises:
        ValueError: CycloneDX's own schema refuses it.
    """
    parsed = json.loads(description)
    subject = component(parsed["subject"])
    bom = Bom(components=[component(part) for part in parsed["parts"]], serial_number=uuid5(NAMESPACE_URL, description))
    bom.metadata.component = subject
    bom.register_dependency(subject, bom.components)
    output = json.loads(JsonV1Dot5(bom).output_as_string())
    output["metadata"].pop("timestamp", None)
    text = json.dumps(output, indent=2, sort_keys=True) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    if wrong is not None:
        raise ValueError(f"not CycloneDX: {wrong}")
    return text


if __name__ == "__main__":
    sys.stdout.write(document(sys.stdin.read()))
