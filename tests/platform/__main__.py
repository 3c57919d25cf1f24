"""``make rights-cluster``: ask the cluster at hand who may do what in it, and write the matrix and the page of it."""

from operations.emulator import platform as at_hand
from operations.failure import guided
from tests.platform import page, rights


def write() -> None:
    """Ask, and write both."""
    with rights.prepared(at_hand.kubernetes()) as cluster:
        found = rights.asked(cluster)
    rights.FILE.write_text(rights.written(found))
    page.FILE.write_text(page.renewed(page.FILE.read_text(), found))


if __name__ == "__main__":
    guided(write)
