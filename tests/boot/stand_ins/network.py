"""Stand-in for curl: the metadata service, downloads from a folder, and the API servers of the sandbox's machines."""

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from cluster import api_answers, cluster_of, has_quorum
from state import ADDRESS, ROOT, SANDBOX, fail, look, runs_real_etcd

if runs_real_etcd():
    import real_etcd


def curl(arguments: list[str]) -> None:
    """Answer one URL; exit codes are curl's: 22 = the server said no, 28 = time-out, 60 = not the CA that was asked for."""
    url = next(word for word in arguments if word.startswith(("http://", "https://")))
    output = arguments[arguments.index("--output") + 1] if "--output" in arguments else None
    place = urlparse(url)
    if "169.254.169.254" in url:
        answer = _metadata(place.path)
    elif place.port == 2381 and place.path == "/health":
        answer = _etcd()
    elif place.port == 6443:
        answer = _api_server(str(place.hostname), place.path, arguments)
    else:
        answer = _download(url, output)
    if output is None:
        print(answer, end="")
    elif output and answer:
        Path(output).write_text(answer)


def _etcd() -> str:
    """What etcd says of itself on its own machine, on the address of its metrics: real etcd's own answer where one runs."""
    state = look()
    if ADDRESS in state.get("etcd_says", {}):
        return str(state["etcd_says"][ADDRESS])
    cluster = cluster_of(state, ADDRESS)
    if cluster is None:
        sys.exit(7)
    if runs_real_etcd():
        answer = real_etcd.health(ADDRESS)
        if answer is None:
            sys.exit(7)
        return answer
    majority = has_quorum(state, cluster, ADDRESS)
    return '{"health":"true","reason":""}' if majority else '{"health":"false","reason":"RAFT NO LEADER"}'


def _metadata(path: str) -> str:
    if path == "/latest/api/token":
        return "imds-token"
    # [path, times, answer]: what a test wants it to say instead, so many times.
    facts = json.loads((ROOT.parent / "metadata.json").read_text())
    for wrong in facts.get("wrong", []):
        if path.endswith(wrong[0]) and wrong[1] > 0:
            wrong[1] -= 1
            (ROOT.parent / "metadata.json").write_text(json.dumps(facts))
            return str(wrong[2])
    return str(facts[path.removeprefix("/latest/meta-data/")])


def _api_server(host: str, path: str, arguments: list[str]) -> str:
    state = look()
    if host == "127.0.0.1" and path == "/api":
        token = re.search(r"Bearer ([^\"]*)", sys.stdin.read())
        if not token or token[1] not in state["tokens"]:
            sys.exit(22)
        return "{}"
    addresses = state["load_balancer"] if host == "api.test" else [host]
    answering = [address for address in addresses if api_answers(state, address) or address in state.get("strange", {})]
    slow = set(addresses) & set(state.get("slow", []))
    if slow or not answering:  # only a server that is there takes the connection
        if "--write-out" in arguments:
            connected = "0.002000" if slow else "0.000000"
            print(connected if "%{time_connect}" in arguments else 0, end="")
        sys.exit(28)
    strange = state.get("strange", {}).get(answering[0], {})
    _verify(state, answering[0], strange, arguments)
    if "--dump-header" in arguments:
        print(
            f"HTTP/2 401\r\ndate: {format_datetime(datetime.now(UTC) + timedelta(seconds=state.get('api_clock', 0)))}\r\n"
        )
    return str(strange.get("says", "ok"))


def _verify(state: dict[str, Any], address: str, strange: dict[str, Any], arguments: list[str]) -> None:
    """End as curl does where the server's certificate is not of the CA in the file; print OpenSSL's result where asked."""
    code, result = strange.get("ends", 0), strange.get("verified", 0)
    if not code and "--cacert" in arguments:
        authority = Path(arguments[arguments.index("--cacert") + 1]).read_text().strip()
        shown = state.get("cas", {}).get(address) or f"CA of {state['machines'].get(address, {}).get('cluster')}"
        if "CA of" not in authority and "BEGIN CERT" not in authority:
            code = 77
        elif authority != shown:
            code, result = 60, 19
    if "--write-out" in arguments:
        print(result, end="")
    if code:
        sys.exit(code)


def _download(url: str, output: str | None) -> str:
    broken = SANDBOX / "internet-fails"
    if broken.exists() and int(broken.read_text()) > 0:
        broken.write_text(str(int(broken.read_text()) - 1))
        fail("curl: (22) The requested URL returned error: 503", 22)
    file = SANDBOX / "internet" / unquote(url).rsplit("/", 1)[1]
    if not file.exists():
        fail(f"curl: (22) The requested URL returned error: 404 ({url})", 22)
    shutil.copy(file, str(output))
    return ""
