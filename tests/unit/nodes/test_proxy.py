"""What goes through the proxy and what does not, by the programs that nodes have: curl, the AWS CLI's library, and kubectl for all of Go's."""

import http.server
import os
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from nodes.boot import PROXY, agent_user_data
from nodes.extras import Extras
from nodes.inputs import ClusterInputs

API = "vet-prod-api.elb.us-east-1.amazonaws.com"

DIRECT = {
    "the instance's metadata": "169.254.169.254",
    "itself": "127.0.0.1",
    "a server": "10.0.10.10",
    "the API": API,
    "a bucket": "vet-prod-nodes.s3.us-east-1.amazonaws.com",
    "what the team says": "registry.example.com",
    "a service by its name": "database-rw.vet-app.svc",
}
NETWORKS = {"another node": "10.0.11.77", "a pod": "10.42.3.9", "a service": "10.43.0.1"}
"""Addresses that only programs in Go tell from others, which are the ones that ask for them."""

ELSEWHERE = ("github.com", "sts.us-east-1.amazonaws.com", "dl.k8s.io")


class Proxy(http.server.BaseHTTPRequestHandler):
    """Notes whom it is asked for, and refuses."""

    asked: list[str]

    def do_CONNECT(self) -> None:  # the name that http.server calls
        self.asked.append(self.path.rpartition(":")[0])
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """Address of a proxy, and the hosts that it has been asked for."""
    seen: list[str] = []
    handler = type("Noting", (Proxy,), {"asked": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()


def _told(inputs: ClusterInputs, url: str) -> dict[str, str]:
    """The variables of a node behind that proxy, as ``bin/lib.sh`` has them."""
    extras = Extras(proxy=url, direct=("registry.example.com",))
    given = replace(inputs, api_host=API, region="us-east-1", extras=extras)
    files = {each["path"]: each["content"] for each in yaml.safe_load(agent_user_data(given))["write_files"]}
    variables = dict(line.split("=", 1) for line in files[PROXY].splitlines())
    return variables | {name.upper(): value for name, value in variables.items()}


def _run(variables: dict[str, str], *command: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)


def test_curl_goes_where_it_should(inputs: ClusterInputs, asked: tuple[str, list[str]]) -> None:
    url, hosts = asked
    variables = _told(inputs, url)
    for host in (*ELSEWHERE, *DIRECT.values()):
        _run(variables, "curl", "-s", "--connect-timeout", "1", "--max-time", "2", f"https://{host}:6443/")
    assert set(hosts) == set(ELSEWHERE), f"through the proxy: {sorted(set(hosts))}"


def test_the_aws_cli_goes_where_it_should(inputs: ClusterInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore asks Python's library (botocore.utils: ``should_bypass_proxies``)."""
    for name, value in _told(inputs, "http://proxy.example.com:3128").items():
        monkeypatch.setenv(name, value)
    from botocore.utils import get_environ_proxies

    for what, host in DIRECT.items():
        assert not get_environ_proxies(f"https://{host}/"), f"{what} ({host}) is asked through the proxy"
    for host in ELSEWHERE:
        assert get_environ_proxies(f"https://{host}/").get("https"), f"{host} is asked without the proxy"
    assert urllib.request.getproxies()["https"] == "http://proxy.example.com:3128"


def test_programs_in_go_go_where_they_should(inputs: ClusterInputs, asked: tuple[str, list[str]]) -> None:
    kubectl = shutil.which("kubectl", path=str(Path(".tools").resolve())) or shutil.which("kubectl")
    if not kubectl:
        pytest.skip("needs kubectl: run make test-platform once, or put it on PATH")
    url, hosts = asked
    variables = _told(inputs, url)
    direct = [host for what, host in {**DIRECT, **NETWORKS}.items() if what != "itself"]
    for host in (*ELSEWHERE, *direct):
        asking = ("--server", f"https://{host}:6443", "--token", "none", "--request-timeout", "1s")
        _run(variables, kubectl, *asking, "get", "--raw", "/readyz")
    assert set(hosts) == set(ELSEWHERE), f"through the proxy: {sorted(set(hosts))}"
