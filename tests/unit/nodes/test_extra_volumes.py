"""What a node with further volumes is told, and how a volume's attachment name is read from an NVMe controller."""

import ctypes
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from nodes.boot import agent_user_data
from nodes.extra_volumes import HERE, device
from nodes.inputs import ClusterInputs
from settings.pools import ExtraVolume

VOLUMES = [ExtraVolume(path="/mnt/reports", gib=100), ExtraVolume(path="/var/lib/rancher", gib=50)]


def files(text: str) -> dict[str, dict[str, str]]:
    """Files of user data by path."""
    return {each["path"]: each for each in yaml.safe_load(text)["write_files"]}


def test_user_data_of_nodes_without_them_is_as_it_was(inputs: ClusterInputs) -> None:
    assert agent_user_data(inputs) == agent_user_data(inputs, volumes=[])
    assert "extra-volumes" not in agent_user_data(inputs)


def test_each_volume_has_a_letter_and_the_place_that_was_asked_for(inputs: ClusterInputs) -> None:
    contents = files(agent_user_data(inputs, volumes=VOLUMES))
    assert contents["/etc/vet/extra-volumes"]["content"] == "sdf /mnt/reports\nsdg /var/lib/rancher\n"
    assert [device(index) for index in (0, 9)] == ["sdf", "sdo"], "EC2 recommends f to p"


def test_they_are_mounted_before_the_node_boots_and_looked_at_again(inputs: ClusterInputs) -> None:
    text = agent_user_data(inputs, volumes=VOLUMES)
    contents = files(text)
    starts = [
        line
        for line in contents["/etc/systemd/system/vet-boot.service.d/extra-volumes.conf"]["content"].splitlines()
        if line.startswith("ExecStart")
    ]
    assert starts == ["ExecStart=", "ExecStart=/usr/local/lib/vet/mount-extra-volumes", "ExecStart=/opt/vet/bin/boot"]
    commands = yaml.safe_load(text)["runcmd"]
    assert commands[1] == ["systemctl", "enable", "--now", "vet-extra-volumes.timer"]
    assert commands[-1][-1] == "vet-fetch-programs.service"
    for start in re.findall(r"ExecStart=(/usr/local/\S+)", "".join(each["content"] for each in contents.values())):
        assert contents[start]["permissions"] == "0755", start


def test_terraform_reads_nothing_in_the_programs(inputs: ClusterInputs) -> None:
    for path in HERE.iterdir():
        assert not re.search(r"[$%]\{", path.read_text()), path.name


def _identified(tmp_path: Path, model: bytes, name: bytes) -> "subprocess.CompletedProcess[str]":
    """Run the program, with a controller that answers so."""
    page = bytearray(4096)
    page[24:64] = model.ljust(40)
    page[3072:3104] = name.ljust(32)
    fake = f"""
import ctypes, fcntl, struct, sys
def ioctl(device, request, command):
    assert request == 0xC0484E41 and len(command) == 72, (hex(request), len(command))
    words = struct.unpack("=BBHIIIQQIIIIIIIIII", bytes(command))
    assert (words[0], words[9], words[10]) == (6, 4096, 1), words
    ctypes.memmove(words[7], {bytes(page)!r}, 4096)
fcntl.ioctl = ioctl
sys.argv = ["attached-as", {str(tmp_path / "nvme1n1")!r}]
exec(compile(open({str(HERE / "attached-as")!r}).read(), "attached-as", "exec"))
"""
    (tmp_path / "nvme1n1").touch()
    return subprocess.run([sys.executable, "-c", fake], capture_output=True, text=True)


@pytest.mark.parametrize("name", [b"sdf", b"/dev/sdf", b"sdf\0"])
def test_the_controller_of_an_ebs_volume_says_its_name(name: bytes, tmp_path: Path) -> None:
    result = _identified(tmp_path, b"Amazon Elastic Block Store", name)
    assert (result.returncode, result.stdout) == (0, "sdf\n"), result.stderr


def test_another_disk_is_never_taken_for_one(tmp_path: Path) -> None:
    result = _identified(tmp_path, b"Amazon EC2 NVMe Instance Storage", b"sdf")
    assert result.returncode != 0, result.stdout
    assert "is no EBS volume" in result.stderr


def test_a_device_that_is_no_nvme_controller_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "sda").touch()
    result = subprocess.run([sys.executable, HERE / "attached-as", tmp_path / "sda"], capture_output=True, text=True)
    assert result.returncode != 0
    assert "does not say what it is" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_has_the_size_that_linux_expects() -> None:
    """The request's own bits say it: linux/ioctl.h puts the argument's size into bits 16 to 29."""
    assert struct.calcsize("=BBHIIIQQIIIIIIIIII") == (0xC0484E41 >> 16) & 0x3FFF
    assert ctypes.sizeof(ctypes.c_void_p) == 8, "addr is 64 bits wide"


@pytest.mark.parametrize(
    "path",
    ["/", "/mnt", "/etc/vet", "/var/lib", "/var/lib/dpkg", "mnt/a", "/mnt/../etc", "/mnt/a b", "/var/lib/rancher2"],
)
def test_a_place_that_would_hide_the_systems_files_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        ExtraVolume(path=path, gib=10)


@pytest.mark.parametrize("path", ["/mnt/reports", "/srv/a/b", "/var/lib/kubelet", "/var/lib/rancher"])
def test_other_places_are_taken(path: str) -> None:
    values: dict[str, Any] = {"path": path, "gib": 10}
    assert ExtraVolume(**values).path == path
