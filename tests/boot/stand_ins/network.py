"""Stand-in for curl: the metadata service, downloads from a folder, and the API servers of the world's machines."""

import json
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

from cluster import api_answers
from state import ROOT, WORLD, fail, look


def curl(arguments: list[str]) -> None:
    """Answer one URL; exit codes are curl's: 22 = the server said no, 28 = time-out."""
    url = next(word for word in arguments if word.startswith(("http://", "https://")))
    output = arguments[arguments.index("--output") + 1] if "--output" in arguments else None
    place = urlparse(url)
    if "169.254.169.254" in url:
        answer = _metadata(place.path)
    elif place.port == 6443:
        answer = _api_server(str(place.hostname), place.path)
    else:
        answer = _download(url, output)
    if output is None:
        print(answer, end="")
    elif output and answer:
        Path(output).write_text(answer)


def _metadata(path: str) -> str:
    if path == "/latest/api/token":
        return "imds-token"
    facts = json.loads((ROOT.parent / "metadata.json").read_text())
    return str(facts[path.removeprefix("/latest/meta-data/")])


def _api_server(host: str, path: str) -> str:
    state = look()
    if host == "127.0.0.1" and path == "/api":
        told = re.search(r"Bearer ([^\"]*)", sys.stdin.read())
        if not told or told[1] not in state["tokens"]:
            sys.exit(22)
        return "{}"
    addresses = state["load_balancer"] if host == "api.test" else [host]
    if not any(api_answers(state, address) for address in addresses):
        sys.exit(28)
    return "ok"


def _download(url: str, output: str | None) -> str:
    broken = WORLD / "internet-fails"
    if broken.exists() and int(broken.read_text()) > 0:
        broken.write_text(str(int(broken.read_text()) - 1))
        fail("curl: (22) The requested URL returned error: 503", 22)
    file = WORLD / "internet" / unquote(url).rsplit("/", 1)[1]
    if not file.exists():
        fail(f"curl: (22) The requested URL returned error: 404 ({url})", 22)
    shutil.copy(file, str(output))
    return ""
