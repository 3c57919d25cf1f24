"""User data of every node of every environment, as Terraform's JSON carries it."""

import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nodes import boot
from nodes.boot import PACKED, SERVERS_KEY, agent_user_data, bundle, server_user_data
from nodes.former_names import FORMER_NAMES
from nodes.inputs import ClusterInputs
from tests.template import Template

LIMIT = 16_384
"""Bytes of user data that EC2 takes (docs.aws.amazon.com, EC2 user data)."""

REFERENCES = 2_048
"""Bytes to spare for what Terraform puts in place of its references: DNS names and ids, all shorter than 256 bytes."""

CLOUD_INIT_SCHEMA = Path("/usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json")


@pytest.fixture
def user_data(templates: Mapping[str, Template]) -> dict[str, str]:
    """User data by stack and node."""
    texts = {}
    for stack in ("vet-dev", "vet-prod"):
        template = templates[stack]
        for name, instance in template.resources("aws_instance").items():
            if "user_data" in instance:
                texts[f"{stack}/{name}"] = instance["user_data"]
        for name, value in template.document["locals"].items():
            if isinstance(value, str) and value.startswith("#cloud-config"):
                texts[f"{stack}/{name}"] = value
    assert len(texts) >= 4 + 2, f"servers and agents of two environments were expected, found {sorted(texts)}"
    return texts


def _files(text: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}


def test_it_is_small_enough(user_data: dict[str, str]) -> None:
    sizes = {name: len(text.encode()) for name, text in user_data.items()}
    assert max(sizes.values()) < LIMIT - REFERENCES, sizes


def test_it_holds_no_secret(user_data: dict[str, str]) -> None:
    for name, text in user_data.items():
        assert not re.search(r"random_password|secret_string|secret_binary|tls_private_key|PRIVATE KEY", text), name
        config = yaml.safe_load(_files(text)["/etc/rancher/rke2/config.yaml.d/10-cluster.yaml"])
        leaking = {"token", "agent-token", "etcd-s3-access-key", "etcd-s3-secret-key"} & set(config)
        assert not leaking, f"{name} has {leaking} in its configuration"


def test_terraform_can_interpolate_it_without_touching_the_shell(user_data: dict[str, str]) -> None:
    """A brace after a dollar or percent sign belongs to Terraform; only references may have one."""
    for name, text in user_data.items():
        expressions = re.findall(r"[$%]\{([^}]*)\}", text)
        strange = [word for word in expressions if not re.fullmatch(r"(aws|data\.aws)_[\w.\-\[\]\"]+", word)]
        assert not strange, f"{name}: {strange}"
        assert not re.search(r"[$%]\{", _files(text)["/usr/local/lib/vet/fetch-programs.sh"]), (
            f"{name}: what fetches the programs"
        )


def test_shell_in_it_is_clean(user_data: dict[str, str], tmp_path: Path) -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    for name, text in user_data.items():
        scripts = {path: content for path, content in _files(text).items() if content.startswith("#!")}
        assert scripts, f"{name} has no loader"
        for path, content in scripts.items():
            file = tmp_path / Path(path).name
            file.write_text(content)
            result = subprocess.run([shellcheck, file], capture_output=True, text=True, check=False)
            assert result.returncode == 0, f"{name} {path}:\n{result.stdout}"


def test_it_uses_only_what_cloud_init_knows(user_data: dict[str, str]) -> None:
    """The part of cloud-init's schema that matters here, for machines that have not the whole (cloud-init: write_files,
    runcmd)."""
    for name, text in user_data.items():
        document = yaml.safe_load(text)
        assert set(document) == {"write_files", "runcmd"}, name
        for file in document["write_files"]:
            unknown = set(file) - {"path", "permissions", "content", "encoding"}
            assert not unknown, f"{name} {file['path']}: {unknown}"
            assert re.fullmatch("0[0-7]{3}", file["permissions"]), f"{name} {file['path']}: a mode is octal, in quotes"
            assert isinstance(file["content"], str), f"{name} {file['path']}: {file['content']!r} is not text"
            assert file.get("encoding", "b64") == "b64", f"{name} {file['path']}"
        assert all(isinstance(word, str) for command in document["runcmd"] for word in command), name


def test_it_is_valid_cloud_config(user_data: dict[str, str]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="install jsonschema to check cloud-init's schema")
    if not CLOUD_INIT_SCHEMA.exists():
        pytest.skip("cloud-init's whole schema is not on this machine: apt-get install cloud-init")
    schema: dict[str, Any] = json.loads(CLOUD_INIT_SCHEMA.read_text())
    for name, text in user_data.items():
        assert text.startswith("#cloud-config\n"), name
        errors = [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(yaml.safe_load(text))]
        assert not errors, f"{name}: {errors}"


def test_every_node_is_told_the_bundle_that_is_published(
    user_data: dict[str, str], templates: Mapping[str, Template]
) -> None:
    for name, text in user_data.items():
        environment = _files(text)["/etc/vet/node.env"]
        assert f"BUNDLE_SHA256='{bundle().sha256}'" in environment, name
        stack = templates[name.split("/")[0]]
        assert bundle().key in [item["key"] for item in stack.resources("aws_s3_object").values()]


def test_servers_learn_of_one_another_from_a_record_that_follows_the_settings(
    user_data: dict[str, str], templates: Mapping[str, Template]
) -> None:
    """Their user data is of the day they were made: one that was the only server then does not know others."""
    for name, text in user_data.items():
        stack = templates[name.split("/")[0]]
        (record,) = [item for item in stack.resources("aws_s3_object").values() if item["key"] == SERVERS_KEY]
        assert f"SERVER_ADDRESSES='{record['content']}'" in _files(text)["/etc/vet/node.env"], name
    assert f"key={SERVERS_KEY}" in (Path(__file__).parents[3] / "nodes/bin/learn-servers").read_text()


def test_a_cut_node_environment_is_noticed_by_its_last_name(user_data: dict[str, str]) -> None:
    for name, text in user_data.items():
        assert _files(text)["/etc/vet/node.env"].splitlines()[-1].startswith("VPC_ID='"), name


def test_node_environment_is_what_the_programs_read(inputs: ClusterInputs) -> None:
    """No program reads a name that nobody sets, and nothing is set that no program reads."""
    programs = Path(__file__).parents[3] / "nodes"
    text = "\n".join(path.read_text() for path in [*programs.glob("bin/*"), programs / "fetch-programs.sh"])
    texts = (server_user_data(inputs, slot=0, data_volume_id="vol-1"), agent_user_data(inputs))
    variables = {line.split("=")[0] for part in texts for line in _files(part)["/etc/vet/node.env"].splitlines()}
    unread = {name for name in variables if not re.search(rf"\${{?{name}\b", text)}
    assert not unread, f"set for the programs, and read by none: {unread}"
    read = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)\b", text))
    own = {"BASH_SOURCE", "EXIT_STOP", "HOME", "JOURNAL_STREAM", "PATH"} | {"INSTANCE_ID", "NODE_NAME", "NODE_ADDRESS"}
    own |= set(re.findall(r"^(?:export )?([A-Z][A-Z_]+)=", text, re.MULTILINE)) | set(
        re.findall(r"\bVET_\w+|AWS_EC2\w+", text)
    )
    own |= set(re.findall(r"AWS_MAX_ATTEMPTS|AWS_RETRY_MODE|AWS_PAGER|AWS_DEFAULT_REGION", text))
    assert not read - variables - own, f"read by a program, and set by nobody: {read - variables - own}"


def test_the_bundle_is_the_same_every_time() -> None:
    bundle.cache_clear()
    first = bundle()
    bundle.cache_clear()
    assert bundle().content == first.content


def test_a_program_is_found_under_its_former_name_as_well() -> None:
    with tarfile.open(fileobj=io.BytesIO(bundle().content)) as archive:
        links = {each.name: each.linkname for each in archive if each.issym()}
    assert links == {f"bin/{former}": program for former, program in FORMER_NAMES.items()}
    there = {path.name for path in (boot.HERE / "bin").iterdir()}
    assert {*FORMER_NAMES.values()} <= there
    assert not FORMER_NAMES.keys() & there


def test_a_checkout_with_the_line_ends_of_windows_makes_the_same_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = bundle()
    for folder in PACKED:
        (tmp_path / folder).mkdir()
        for path in (boot.HERE / folder).iterdir():
            if path.is_file():
                (tmp_path / folder / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.setattr(boot, "HERE", tmp_path)
    assert bundle.__wrapped__().key == wanted.key


def test_git_checks_every_text_out_with_the_line_ends_that_shells_take() -> None:
    root = Path(__file__).parents[3]
    asked = ["git", "check-attr", "eol", "--", "scripts/run", "nodes/bin/boot", "main.py", "Makefile"]
    output = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True).stdout
    assert [line for line in output.splitlines() if not line.endswith(": eol: lf")] == []
