"""Files as people and accidents make them: each a sentence with the file, soon and short, and never the end of the interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import SettingsError
from tests.unit.settings.conftest import Files

MOST = 20_000
"""Characters of an answer."""


def _said(files: Files) -> str:
    with pytest.raises(SettingsError) as raised:
        files.load()
    message = str(raised.value)
    assert len(message) <= MOST, f"{len(message)} characters: {message[:200]}"
    return message


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)

REFUSED = {
    "400 levels": ("tags: " + "[" * 400 + "]" * 400, "levels deep"),
    "100,000 levels": ("tags: " + "[" * 100_000 + "]" * 100_000, "levels deep"),
    "levels in block style": ("".join(" " * level + "a:\n" for level in range(500)), "levels deep"),
    "anchors of anchors": (BOMB, "anchors repeat"),
    "megabytes of unknown keys": ("".join(f"key{number}: 1\n" for number in range(200_000)), "KiB"),
    "thousands of unknown keys": ("".join(f"key{number}: 1\n" for number in range(5_000)), "first 40"),
    "one key of 100,000 letters": ("k" * 100_000 + ": 1\n", "valid YAML"),
    "one value of 100,000 letters": (f"region: {'x' * 100_000}\n", "region"),
    "a tag that makes an object": ("tags: !!python/object/apply:os.system ['true']\n", "tag"),
    "an anchor in itself": ("tags: &a [*a]\n", "anchor"),
    "a NUL": ("tags: {a: 'b\x00c'}\n", "valid YAML"),
}


@pytest.mark.parametrize(("text", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_a_strange_file_is_refused_in_a_sentence(text: str, word: str, files: Files) -> None:
    (files.folder / "dev.yaml").write_text(text)
    assert word in (message := _said(files)), message[:500]
    assert "environments/dev.yaml:" in message


def test_a_deep_file_does_not_end_the_interpreter(files: Files) -> None:
    (files.folder / "dev.yaml").write_text("tags: " + "[" * 100_000)
    program = f"from pathlib import Path; from settings import load; load(Path({str(files.folder)!r}))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, f"ended by signal {-ended.returncode}"
    assert "levels deep" in ended.stderr


@pytest.mark.parametrize("name", ["dev.yaml", "_common.yaml", "_project.yaml"])
def test_a_pipe_is_not_waited_for(name: str, files: Files) -> None:
    (files.folder / name).unlink()
    os.mkfifo(files.folder / name)
    assert "not an ordinary file" in _said(files)


def test_a_device_and_a_folder_are_no_files(files: Files) -> None:
    (files.folder / "endless.yaml").symlink_to("/dev/zero")
    (files.folder / "folder.yaml").mkdir()
    message = _said(files)
    assert message.count("not an ordinary file") == 2, message


def test_a_link_to_nothing_is_told(files: Files) -> None:
    (files.folder / "gone.yaml").symlink_to(files.folder / "nowhere")
    assert "gone.yaml" in _said(files)


def test_a_name_with_a_line_break_is_written_out(files: Files) -> None:
    (files.folder / "dev.yaml").rename(files.folder / "de\nv.yaml")
    assert "de\\nv.yaml:1" in _said(files)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_said(encoding: str, files: Files) -> None:
    file = files.folder / "dev.yaml"
    file.write_bytes(file.read_text().encode(encoding))
    message = _said(files)
    assert "UTF-8" in message or "valid YAML" in message, message


def test_what_windows_adds_changes_nothing(files: Files) -> None:
    before = files.load()
    for file in Path(files.folder).glob("*.yaml"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_text().replace("\n", "\r\n").encode())
    assert files.load() == before
