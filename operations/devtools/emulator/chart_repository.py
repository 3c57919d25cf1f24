"""A chart repository on this machine, from the charts that were fetched: what a mirror (``charts.mirror``) is."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from operations.shared.errors import Failure


class Quiet(SimpleHTTPRequestHandler):
    """Does not print each request."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def collect(helm: str, sources: Path, folder: Path, *, keep_kube_version: bool = False) -> None:
    """Put every chart of ``sources`` (directories and .tgz) into ``folder``, with an index.

    :param keep_kube_version: leave ``kubeVersion`` in the charts. It is taken out where the cluster of ``VET_TEST_KUBECONFIG`` may be of another minor than
        the release set's, whose fit the tests of release sets prove.

    Raises:
        Failure: Helm does not take a chart; the text is its own.
    """
    for source in sorted(sources.iterdir()):
        unpacked = folder / "unpacked" / source.name
        if source.suffix == ".tgz":
            shutil.unpack_archive(source, unpacked, "gztar", filter="data")
        elif (source / "Chart.yaml").is_file():
            shutil.copytree(source, unpacked / source.name)
    for about in sorted(folder.glob("unpacked/*/*/Chart.yaml")):
        if not keep_kube_version:
            about.write_text(re.sub(r"^kubeVersion:.*\n", "", about.read_text(), flags=re.MULTILINE))
        _run(helm, "package", str(about.parent), "--destination", str(folder))
    shutil.rmtree(folder / "unpacked", ignore_errors=True)
    _run(helm, "repo", "index", str(folder))


def _run(*command: str) -> None:
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise Failure(f"{' '.join(command)} ended with {answer.returncode}: {answer.stderr.strip()}")


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve the folder on a free port of the loopback address; yields the repository's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
