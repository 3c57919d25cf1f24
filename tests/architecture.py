"""Which tests prove which line of docs/architecture.txt, and which lines a run has left without proof."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
MAPPING = ROOT / "tests/architecture.yaml"


def mapping() -> dict[str, dict[str, dict[str, Any]]]:
    """``tests/architecture.yaml``: by section and subsection, each line's tests or why it has none."""
    sections: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(MAPPING.read_text())
    return sections


def proofs() -> Iterator[tuple[str, list[str]]]:
    """Each line that has tests, and their node ids without parameters: ``tests/unit/stacks/test_network.py::test_it``."""
    for subsections in mapping().values():
        for lines in subsections.values():
            for line, proof in lines.items():
                if not isinstance(proof, dict):
                    yield line, [node(test) for test in ([proof] if isinstance(proof, str) else proof)]


def node(test: str) -> str:
    """The node id of a test as the mapping names it."""
    module, function = test.split("::")
    folder, _, name = module.rpartition("/")
    return f"{PurePosixPath('tests/unit', folder or 'stacks', f'test_{name}.py')}::{function}"


def unproven(passed: Collection[str], skipped: Collection[str]) -> list[str]:
    """Lines of which every test was skipped and none passed, in the document's order.

    :param passed: node ids of a run, with or without parameters; a test of which one case passed has looked.
    :param skipped: the same of tests that were skipped.
    """
    looked, left = ({_bare(each) for each in ids} for ids in (passed, skipped))
    return [line for line, tests in proofs() if all(test in left - looked for test in tests)]


def _bare(node_id: str) -> str:
    return re.sub(r"\[.*", "", node_id, flags=re.DOTALL)
