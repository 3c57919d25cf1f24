"""What a device holds, told by the real tools of e2fsprogs and util-linux on image files."""

import subprocess
from pathlib import Path

import pytest

from tests.boot.sandbox import Sandbox

MIB = 1 << 20
SIZE = 200 * MIB


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A sparse file in place of a device: with 4 KiB blocks the first backup superblock is at block 32768."""
    path = tmp_path / "device"
    with path.open("wb") as file:
        file.truncate(SIZE)
    return path


def _make(image: Path, label: str = "vet-data") -> None:
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-b", "4096", "-L", label, image], check=True)


def _overwrite(image: Path, at: int, content: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(at)
        file.write(content)


def _inspect(sandbox: Sandbox, image: Path) -> str:
    """The program's answer, with the real tools before the stand-ins on its PATH."""
    server = sandbox.server(0)
    path = f"/usr/sbin:/usr/bin:{server.environment['PATH']}"
    return server.run("inspect-volume", str(image), "vet-data", PATH=path).log.strip().splitlines()[-1]


def test_only_zeros_are_blank(image: Path, sandbox: Sandbox) -> None:
    assert _inspect(sandbox, image).startswith("blank ")


@pytest.mark.parametrize("at", [0, 4096, MIB - 1])
def test_a_byte_in_the_first_mib_is_not_blank(at: int, image: Path, sandbox: Sandbox) -> None:
    _overwrite(image, at, b"x")
    assert _inspect(sandbox, image).startswith("foreign ")


def test_our_file_system_is_ours(image: Path, sandbox: Sandbox) -> None:
    _make(image)
    assert _inspect(sandbox, image).startswith("ours ")


def test_another_label_is_foreign(image: Path, sandbox: Sandbox) -> None:
    _make(image, "somebody")
    assert _inspect(sandbox, image).startswith("foreign it holds ext4 somebody")


@pytest.mark.parametrize("damaged", [4096, MIB], ids=["one sector", "the first MiB"])
def test_a_damaged_beginning_is_never_blank_and_the_command_that_is_named_mends_it(
    damaged: int, image: Path, sandbox: Sandbox
) -> None:
    """Seen: whole data was formatted because of one damaged sector."""
    _make(image)
    _overwrite(image, 0, bytes(damaged))
    output = _inspect(sandbox, image)
    assert output.startswith("damaged "), output
    command = output.partition("sudo ")[2]
    repaired = subprocess.run(["sh", "-c", command.replace("e2fsck -f", "/usr/sbin/e2fsck -fy")], capture_output=True)
    assert repaired.returncode in (0, 1), repaired.stdout.decode()
    assert _inspect(sandbox, image).startswith("ours ")


def test_a_file_system_that_was_not_unmounted_is_checked(image: Path, sandbox: Sandbox) -> None:
    _make(image)
    subprocess.run(["/usr/sbin/debugfs", "-w", "-R", "set_super_value state 2", image], check=True, capture_output=True)
    assert _inspect(sandbox, image).startswith("ours ")
    state = subprocess.run(["/usr/sbin/dumpe2fs", "-h", image], capture_output=True, text=True, check=True).stdout
    assert "clean" in state.partition("Filesystem state:")[2].splitlines()[0], "mounted without a check"


def test_an_unreadable_device_is_nothing_at_all(tmp_path: Path, sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    result = server.run(
        "inspect-volume", str(tmp_path / "none"), "vet-data", PATH=f"/usr/sbin:{server.environment['PATH']}"
    )
    assert result.code != 0
    assert "blank" not in result.log
