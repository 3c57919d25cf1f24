"""The Terraform JSON of the shipped environments as it is checked in, so that a reviewer sees what a change does to it: ``make snapshot``.

It says nothing about what is right, and ``make mutate`` does not count it.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import main
from settings import load

FOLDER = Path(__file__).parent / "snapshot"
"""One file a stack."""


def normalised(document: Any) -> str:
    """A stack's JSON without cdktf's notes, sorted, with JSON inside of texts laid open and long texts a line each."""
    return json.dumps(_open(document), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _open(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _open(item) for key, item in value.items() if key != "//"}
    if isinstance(value, list):
        return [_open(item) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return {"<json>": _open(json.loads(value))}
        except json.JSONDecodeError:
            return value
    return value.splitlines() if isinstance(value, str) and "\n" in value else value


def snapshot(synthesised: Path) -> dict[str, str]:
    """Normalised JSON of every stack, by file name."""
    files = sorted(synthesised.glob("stacks/*/cdk.tf.json"))
    return {f"{file.parent.name}.json": normalised(json.loads(file.read_text())) for file in files}


def renew() -> None:
    """Write the snapshot again, and remove files that no stack has any more."""
    with tempfile.TemporaryDirectory() as folder:
        main.build_app(load(), outdir=f"{folder}/out").synth()
        stacks = snapshot(Path(folder) / "out")
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.json"):
        if file.name not in stacks:
            file.unlink()
    for name, text in stacks.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    renew()
