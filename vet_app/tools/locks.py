"""Write the lock files again: python tools/locks.py (uv has to be on PATH or in the interpreter that runs this).

One lock per line of Python: 3.9, whose last Django is 4.2, and 3.10 or newer, with the maintained Django.
Every file is pinned and hashed and names no package registry, so that any mirror can serve it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LINES = {"python39": ["--python-version", "3.9"], "python3": ["--python-version", "3.10", "--universal"]}
HEADER = "# Made by `make locks` from {source}; do not edit by hand.\n"


def main() -> None:
    """Compile each list for each line of Python."""
    for source in ("app", "test"):
        for line, options in LINES.items():
            target = REQUIREMENTS / f"{source}-{line}.txt"
            print(f"Locking {target.name}", flush=True)
            subprocess.run(
                [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--generate-hashes",
                 "--no-header", "--no-annotate", *options, f"{source}.in", "--output-file", target.name],
                cwd=REQUIREMENTS,
                check=True,
            )  # fmt: skip
            target.write_text(HEADER.format(source=f"{source}.in") + target.read_text())


if __name__ == "__main__":
    main()
