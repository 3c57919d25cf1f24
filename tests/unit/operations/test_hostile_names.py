"""What comes out of a bucket, a lock or an answer of AWS is data: no shell of a server runs it, nor a person's who does as they are told."""

import ast
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nodes.boot import server_user_data
from nodes.inputs import ClusterInputs
from operations.cluster import restore
from operations.cluster.restore import RestoreRequest
from operations.cluster.snapshots import snapshots
from operations.shared import servers
from operations.shared.health import Health
from operations.shared.servers import Cluster, Server
from tests.unit.operations.cluster import BODY, SNAPSHOTS, Fake

ROOT = Path(__file__).parents[3]
HOSTILE = (
    "z'; touch pwned; echo '.zip",
    "$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned",
    "-rf",
    "two words; touch pwned",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_newest_object_is_no_snapshot_because_it_is_the_newest(name: str, prod: Fake) -> None:
    prod.healths = dict.fromkeys(range(3), Health(False, False, 0, 0, 0, False, False, data=False, quorum="no"))
    prod.objects[f"{prod.names.bucket('snapshots')}/vet-prod/{name}"] = BODY
    restore.restore(prod, RestoreRequest(dry_run=True, auto_approve=True))
    shown = [one.name for one in snapshots(prod)]
    assert shown == SNAPSHOTS, "only what RKE2 calls a snapshot is one"


class Manager:
    """Session Manager: what it is sent is run by a shell, as root would run it, in a folder with the programs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.exceptions = folder, SimpleNamespace(InvocationDoesNotExist=KeyError)

    def send_command(self, Parameters: dict[str, list[str]], **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's own names
        """Run it."""
        (line,) = Parameters["commands"]
        done = subprocess.run(["sh", "-c", line], cwd=self.folder, capture_output=True, text=True)
        self.output = done.stdout
        return {"Command": {"CommandId": "1"}}

    def get_command_invocation(self, **_: Any) -> dict[str, str]:
        """What it printed."""
        return {"Status": "Success", "StandardOutputContent": self.output, "StandardErrorContent": ""}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_server_gets_an_argument_as_it_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "restore"
    program.write_text('#!/bin/sh\nprintf "%s" "$1"\n')
    program.chmod(0o755)
    monkeypatch.setattr(servers, "PROGRAMS", str(tmp_path))
    cluster, manager = Cluster("prod"), Manager(tmp_path)
    monkeypatch.setattr(cluster, "client", lambda _: manager)
    output = cluster.run(Server(0, "i-0", "t3.large", "ami-0", running=True), "restore", name)
    assert output == name
    assert not (tmp_path / "pwned").exists(), "the name was run as root"


@pytest.mark.parametrize("value", ["it's", "a\nb", "$(touch pwned)'"])
def test_what_nodes_are_told_cannot_leave_its_quotes(value: str, inputs: ClusterInputs) -> None:
    inputs = ClusterInputs(**{**inputs.__dict__, "cluster": value})
    with pytest.raises(ValueError, match=r"node\.env"):
        server_user_data(inputs, slot=0, data_volume_id="vol-0")


def _sources() -> Iterator[tuple[Path, ast.AST]]:
    for folder in ("operations", "scripts", "nodes", "settings", "modules", "stacks", "bindings"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def test_no_program_of_ours_gives_a_shell_a_text_that_it_made() -> None:
    wrong = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            shell = any(each.arg == "shell" and getattr(each.value, "value", True) for each in node.keywords)
            command = ast.unparse(node.args[0]) if node.args else ""
            by_hand = called.startswith("subprocess.") and re.match(
                r"""\[['"](?:/bin/)?(?:ba|da|z)?sh['"], ['"]-\w*c""", command
            )
            if (
                shell
                or by_hand
                or called in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput")
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {called}({command[:60]})")
    assert not wrong, f"give a list of words instead: {wrong}"


def test_commands_for_servers_are_made_in_one_place_by_quoting_each_word() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("send_command")
    ]
    assert [place.split(":")[0] for place in places] == ["operations/shared/servers.py"], places
    assert "command = shlex.join(" in (ROOT / "operations/shared/servers.py").read_text()


def test_programs_of_nodes_build_no_commands_out_of_texts() -> None:
    pattern = re.compile(r"(?<![\w-])(eval\b|(?:ba)?sh -\w*c\b|xargs\b|source /dev/std|declare \"?\$\(|printf -v \$)")
    wrong = []
    for path in [ROOT / "nodes/fetch-programs.sh", *sorted((ROOT / "nodes/bin").iterdir())]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.lstrip().startswith("#") and pattern.search(line):
                wrong.append(f"{path.name}:{number}: {line.strip()}")
    assert not wrong, wrong


def test_the_list_of_hostile_names_is_hostile(tmp_path: Path) -> None:
    """Pasted into a command, some of them do run: otherwise the tests above show nothing."""
    ran = []
    for number, name in enumerate(HOSTILE):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(
            ["sh", "-c", f"echo '{name}'; echo {name}"], cwd=folder, capture_output=True, env=dict(os.environ)
        )
        ran += [name] if (folder / "pwned").exists() else []
        assert shlex.split(shlex.quote(name)) == [name]
    assert len(ran) >= 4, ran
