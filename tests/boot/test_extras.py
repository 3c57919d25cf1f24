"""What a team adds on the nodes: its scripts at their moments, registries with passwords that nobody sees, and a proxy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nodes.extras import Extras
from tests.boot.sandbox import STOPPED, Sandbox

PASSWORD = "a passw0rd: with \"quotes' and $(things)"


def _with(sandbox: Sandbox, **extras: Any) -> Sandbox:
    """The same sandbox, whose user data and bundle have these extras."""
    sandbox.__dict__["inputs"] = replace(sandbox.inputs, extras=Extras(**extras))
    return sandbox


def _note(folder: Path, text: str, *, code: int = 0) -> str:
    return f'#!/bin/bash\necho "{text} $ROLE $CLUSTER $(cat "$VET_ROOT/etc/rancher/rke2/token" 2>/dev/null | wc -l)" >>{folder}/noted\nexit {code}\n'


def _noted(sandbox: Sandbox) -> list[str]:
    file = sandbox.folder / "noted"
    return file.read_text().splitlines() if file.exists() else []


def _scripts(sandbox: Sandbox, role: str, **codes: int) -> tuple[tuple[str, str], ...]:
    names = ("before-join/10-first", "before-join/20-second", "after-join/90-last")
    return tuple(
        (f"scripts/{role}/{name}", _note(sandbox.folder, name, code=codes.get(name.split("-")[-1], 0)))
        for name in names
    )


def test_scripts_of_an_agent_run_in_order_before_and_after_it_joins(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    agent = _with(sandbox, scripts=_scripts(sandbox, "agent")).agent()
    result = agent.boot()
    assert result.code == 0, result.log
    assert _noted(sandbox) == [
        "before-join/10-first agent vet-dev 0",
        "before-join/20-second agent vet-dev 0",
        "after-join/90-last agent vet-dev 1",
    ], "the token is there once it joins"


def test_scripts_of_a_server_run_at_every_boot_and_those_of_agents_do_not(sandbox: Sandbox) -> None:
    scripts = (*_scripts(sandbox, "server"), *_scripts(sandbox, "agent", second=1))
    server = _with(sandbox, scripts=scripts).server(0)
    assert server.boot().code == 0
    server.power_off()
    assert server.boot().code == 0
    assert len(_noted(sandbox)) == 6, _noted(sandbox)
    assert all(" server " in line for line in _noted(sandbox)), _noted(sandbox)


@pytest.mark.parametrize(("script", "started"), [("second", False), ("last", True)])
def test_a_script_that_fails_stops_the_boot_with_its_name(sandbox: Sandbox, script: str, started: bool) -> None:
    sandbox.running_cluster()
    agent = _with(sandbox, scripts=_scripts(sandbox, "agent", **{script: 3})).agent()
    result = agent.boot()
    assert result.code == STOPPED, result.log
    assert f"-{script} (" in result.log, result.log
    assert "failed with status 3" in result.log, result.log
    assert "make roll-agents" in result.log
    assert bool(sandbox.state["agents"]) == started, "a node that is half of what was wanted joined"


def test_registries_have_the_passwords_of_secrets_manager_and_nobody_sees_them(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    secrets = sandbox.client("secretsmanager")
    name = f"registry/{sandbox.identity}"
    credentials = {"username": "puller", "password": PASSWORD}
    secrets.create_secret(Name=name, SecretString=json.dumps(credentials, indent=2))
    mirrors = {"docker.io": {"endpoint": ["https://mirror.example.com"], "rewrite": {"^rancher/(.*)": "m/$1"}}}
    wanted = {"mirrors": mirrors, "credentials": {"mirror.example.com": name, "other.example.com:5000": name}}
    agent = _with(sandbox, registries=wanted).agent()
    sandbox.change(aws_failures=[[f"--secret-id {name}", 1, "An error occurred (ThrottlingException)"]])  # asked again
    result = agent.boot()
    assert result.code == 0, result.log
    file = agent.root / "etc/rancher/rke2/registries.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    written = yaml.safe_load(file.read_text())
    assert written["mirrors"] == mirrors
    assert written["configs"] == {
        key: {"auth": credentials} for key in ["mirror.example.com", "other.example.com:5000"]
    }
    seen = [result.log, *agent.calls(), (agent.root / "etc/vet/registries.json").read_text()]
    assert not [text for text in seen if "passw0rd" in text]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "is not there or empty"),
        ('{"username": "passw0rd"}', "must hold"),
        ("passw0rd", "must hold"),
        ('["passw0rd"]', "must hold"),
    ],
)
def test_a_secret_of_a_registry_that_is_of_no_use_is_named_and_not_shown(
    sandbox: Sandbox, text: str | None, says: str
) -> None:
    sandbox.running_cluster()
    name = f"registry/{sandbox.identity}"
    sandbox.client("secretsmanager").create_secret(Name=name, **({"SecretString": text} if text else {}))
    agent = _with(sandbox, registries={"mirrors": {}, "credentials": {"mirror.example.com": name}}).agent()
    result = agent.boot(VET_MAX_ATTEMPTS="2")
    assert result.code == 1, result.log
    assert name in result.log, result.log
    assert says in result.log, result.log
    assert "passw0rd" not in result.log
    assert not (agent.root / "etc/rancher/rke2/registries.yaml").exists()
    assert sandbox.state["agents"] == [], "a node without its registries joined"


def test_programs_and_rke2_go_through_the_proxy_and_reach_the_cluster_without_it(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    script = f"#!/bin/bash\nenv >{sandbox.folder}/environment\n"
    url = "http://proxy.example.com:3128"
    sandbox = _with(
        sandbox, proxy=url, direct=("own.example.com",), scripts=(("scripts/agent/before-join/10-look", script),)
    )
    agent = sandbox.agent()
    result = agent.boot()
    assert result.code == 0, result.log
    seen = dict(line.split("=", 1) for line in (sandbox.folder / "environment").read_text().splitlines() if "=" in line)
    assert seen["https_proxy"] == seen["HTTPS_PROXY"] == seen["http_proxy"] == url
    direct = seen["no_proxy"].split(",")
    assert seen["NO_PROXY"] == seen["no_proxy"]
    needed = {"169.254.169.254", "127.0.0.1", "api.test", "10.0.10.10", "10.0.0.0/16", "10.42.0.0/16", "10.43.0.0/16"}
    assert needed | {".svc", ".cluster.local", "own.example.com"} <= set(direct), direct
    variables = dict(line.split("=", 1) for line in (agent.root / "etc/default/rke2-agent").read_text().splitlines())
    assert variables["HTTPS_PROXY"] == variables["HTTP_PROXY"] == url
    assert "10.43.0.0/16" in variables["NO_PROXY"]


def test_servers_that_came_later_are_reached_without_the_proxy(sandbox: Sandbox) -> None:
    script = f'#!/bin/bash\necho "$no_proxy" >{sandbox.folder}/direct\n'
    scripts = (("scripts/server/before-join/10-look", script),)
    server = _with(sandbox, proxy="http://proxy.example.com:3128", scripts=scripts).server(0)
    sandbox.client("s3").put_object(
        Bucket=sandbox.inputs.nodes_bucket, Key="nodes/servers", Body=b"10.0.10.10 10.0.11.10 10.0.12.10"
    )
    server.boot()
    assert "10.0.12.10" in (sandbox.folder / "direct").read_text()
