"""The checked-in JSON is what the stacks synthesise to."""

import difflib
from pathlib import Path

from tests.snapshot import FOLDER, snapshot


def test_the_snapshot_is_fresh(output: Path) -> None:
    stacks = snapshot(output)
    kept = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
    assert sorted(kept) == sorted(stacks), "run make snapshot"
    for name, text in stacks.items():
        changed = difflib.unified_diff(kept[name].splitlines(), text.splitlines(), "snapshot", "now", lineterm="", n=1)
        shown = "\n".join(list(changed)[:60])
        assert not shown, f"{name} changed; run make snapshot, and look at what changed:\n{shown}"
