"""pip and Pipenv are those whose hashes are written down, wherever they come from."""

import hashlib
import re
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
NAME = "pip-1.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index that has one file of pip."""
    folder = tmp_path / "index"
    (folder / "pip").mkdir(parents=True)
    (folder / "pip/index.html").write_text(f'<a href="{NAME}#sha256={"0" * 64}">{NAME}</a>')
    (folder / "pip" / NAME).write_bytes(b"pip")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield tmp_path
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetch_pip(monkeypatch: pytest.MonkeyPatch):
    """The module; scripts run before anything is installed and are no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import fetch_pip

    yield fetch_pip
    sys.modules.pop("fetch_pip")


def test_an_index_gives_the_file_whose_hash_is_pinned(fetch_pip, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = index / "pip.txt"
    monkeypatch.setattr(fetch_pip, "PINNED", pins)
    pins.write_text(f"pip==1.0 --hash=sha256:{hashlib.sha256(b'pip').hexdigest()}\n")
    assert fetch_pip._from_index(index).read_bytes() == b"pip"
    pins.write_text(f"pip==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(LookupError, match="not what was pinned"):  # although the index itself says that it is right
        fetch_pip._from_index(index)


def test_the_environment_of_pipenv_takes_nothing_without_its_hash() -> None:
    lines = (SCRIPTS / "pipenv.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert any(line.startswith("pipenv==") for line in pinned)
    assert not [line for line in pinned if not re.fullmatch(r"[\w.-]+==\S+ --hash=sha256:[0-9a-f]{64}", line)]
    assert '"--require-hashes", "--requirement", PIPENV' in (SCRIPTS / "lock.py").read_text()


def test_pip_is_pinned_as_pip_reads_it(fetch_pip) -> None:
    name, digest = fetch_pip.pinned()
    assert re.fullmatch(r"pip-[0-9.]+-py3-none-any\.whl", name)
    assert len(digest) == 64
