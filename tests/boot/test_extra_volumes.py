"""Further volumes of an agent: found by the name under which they were attached, formatted only when blank, mounted and grown."""

import json
import os
from pathlib import Path

import pytest

from nodes.boot import agent_user_data
from settings.pools import ExtraVolume
from tests.boot.machine import STOPPED, Machine, Result
from tests.boot.sandbox import Sandbox

PLACE = "mnt/reports"


def _agent(sandbox: Sandbox) -> tuple[Machine, list[Path]]:
    """An agent with two volumes, which Linux sees in the other order; and the volumes."""
    volumes = [ExtraVolume(path="/mnt/reports", gib=10), ExtraVolume(path="/var/lib/kubelet", gib=20)]
    agent = Machine(sandbox, "10.0.10.100", agent_user_data(sandbox.inputs, volumes=volumes), None)
    extra = [sandbox.new_volume() for _ in volumes]
    devices = {"/dev/nvme2n1": extra[0], "/dev/nvme1n1": extra[1]}
    (agent.folder / "devices.json").write_text(json.dumps(devices))
    _name(agent, {"/dev/nvme0n1": "sda1", "/dev/nvme2n1": "sdf", "/dev/nvme1n1": "sdg"})
    return agent, [sandbox.folder / "volumes" / each for each in extra]


def _name(agent: Machine, names: dict[str, str]) -> None:
    """What controllers say of themselves, in place of the program that asks them (which tests/unit/nodes has)."""
    cases = "".join(f"{path}) echo {name} ;;\n" for path, name in names.items())
    program = agent.root / "usr/local/lib/vet/attached-as"
    program.write_text(f'#!/bin/bash\ncase "$1" in\n{cases}*) exit 1 ;;\nesac\n')


def _mount(agent: Machine, **environment: str) -> Result:
    program = agent.root / "usr/local/lib/vet/mount-extra-volumes"
    assert os.access(program, os.X_OK)
    return agent.finish(agent.begin(str(program), **environment))


def test_blank_volumes_are_formatted_once_and_mounted_where_they_belong(sandbox: Sandbox) -> None:
    agent, (reports, kubelet) = _agent(sandbox)
    for _ in range(2):
        result = _mount(agent)
        assert result.code == 0, result.log
    assert agent.calls("mkfs.ext4") == [
        "mkfs.ext4 -q -L vet-sdf /dev/nvme2n1",
        "mkfs.ext4 -q -L vet-sdg /dev/nvme1n1",
    ]
    (agent.root / PLACE / "probe").write_text("x")
    assert (reports / "files/probe").read_text() == "x"
    (agent.root / "var/lib/kubelet/probe").write_text("y")
    assert (kubelet / "files/probe").read_text() == "y"


def test_what_is_on_them_outlives_a_restart(sandbox: Sandbox) -> None:
    agent, _ = _agent(sandbox)
    _mount(agent)
    (agent.root / PLACE / "kept").write_text("x")
    for place in (PLACE, "var/lib/kubelet"):
        (agent.root / place).unlink()  # mounts end with the power
    result = _mount(agent)
    assert result.code == 0, result.log
    assert (agent.root / PLACE / "kept").read_text() == "x"
    assert len(agent.calls("mkfs.ext4")) == 2, "formatted a second time"


def test_an_enlarged_volume_is_grown_while_it_is_used(sandbox: Sandbox) -> None:
    agent, _ = _agent(sandbox)
    _mount(agent)
    before = len(agent.calls("resize2fs"))
    _mount(agent)
    assert agent.calls("resize2fs")[before:] == ["resize2fs /dev/nvme2n1", "resize2fs /dev/nvme1n1"]
    assert len(agent.calls("mount /dev")) == 2, "mounted a second time"


@pytest.mark.parametrize("signature", ["xfs theirs", "ext4 vet-sdg", "gpt"])
def test_what_holds_something_else_is_never_formatted(signature: str, sandbox: Sandbox) -> None:
    agent, (reports, _) = _agent(sandbox)
    (reports / "signature").write_text(signature)
    result = _mount(agent)
    assert result.code == STOPPED, result.log
    assert "is left as it is" in result.log
    assert not agent.calls("mkfs.ext4 -q -L vet-sdf")


def test_a_volume_that_is_not_attached_yet_is_waited_for(sandbox: Sandbox) -> None:
    agent, _ = _agent(sandbox)
    _name(agent, {"/dev/nvme0n1": "sda1"})
    result = _mount(agent, VET_MAX_ATTEMPTS="2")
    assert result.code == 1, result.log
    assert "no volume is attached as sdf" in result.log
    assert not agent.calls("mkfs.ext4")
