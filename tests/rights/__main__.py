"""``make rights``: the matrix and the page of it, made again. With a folder of synthesised stacks as argument, print that one's matrix."""

import sys
import tempfile
from pathlib import Path

from tests.rights import matrix, page
from tests.rights.account import read


def run() -> int:
    """Write both, or print one."""
    if len(sys.argv) > 1:
        print(matrix.rendered(matrix.cells(read(Path(sys.argv[1])))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        cells = list(matrix.cells(matrix.synthesised(Path(folder) / "own")))
        company = list(matrix.cells(matrix.synthesised(Path(folder) / "company", matrix.COMPANY)))
    matrix.FILE.write_text(matrix.rendered(cells))
    page.FILE.write_text(page.renewed(page.FILE.read_text(), cells, company))
    return 0


if __name__ == "__main__":
    sys.exit(run())
