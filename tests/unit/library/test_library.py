"""Others use the constructs: under one name, without the repository's files, and as the page says."""

import ast
import shutil
import tomllib
from pathlib import Path

import pytest

from settings import SettingsError, checked, load
from settings.helm_values import FOLDERS
from tests import surface
from tests.library import EXAMPLE, ROOT, backend, expect_a_cluster, page, run, stacks

FAST = "from vet_platform import bindings; bindings.enable(start=True)\n"


def test_the_example_has_its_cluster_and_the_library_takes_one_name(library: Path, tmp_path: Path) -> None:
    project = shutil.copytree(EXAMPLE, tmp_path / "project")
    names = "import sys; print(sorted({'bindings', 'modules', 'nodes', 'settings', 'stacks', 'operations'} & sys.modules.keys()))"
    program = (
        f"{FAST}import runpy, sys; sys.path.insert(0, '.'); runpy.run_path('main.py', run_name='__main__'); {names}"
    )
    assert run(program, project, PYTHONPATH=str(library)) == "[]\n"
    expect_a_cluster(stacks(project))


def test_the_page_says_what_is_so(library: Path, tmp_path: Path) -> None:
    run(FAST + page(), tmp_path, PYTHONPATH=str(library))


def test_nothing_of_this_repositorys_environments_goes_along(library: Path) -> None:
    package = library / "vet_platform"
    assert backend().FOLDERS == FOLDERS
    assert {path.name for path in (package / "helm-values").iterdir() if path.is_dir()} == set(FOLDERS)
    assert not (package / "environments").exists()
    assert (package / "py.typed").exists()
    assert (package / "nodes/bin/bootstrap-server").exists(), "the nodes' programs are missing"


def test_imports_change_and_lines_stay() -> None:
    source = '"""Text: from settings import x."""\nfrom settings.names import (\n    Names,\n)\nif 1:\n    from modules import aws\nimport json\n'
    renamed = backend().renamed(source)
    assert renamed == (
        '"""Text: from settings import x."""\nfrom vet_platform.settings.names import (\n    Names,\n)\n'
        "if 1:\n    from vet_platform.modules import aws\nimport json\n"
    )
    assert ast.parse(renamed)
    for wrong in (
        "import settings",
        "import modules.aws.servers",
        "from operations.deployment import synth",
        "from tests import library",
    ):
        with pytest.raises(ValueError, match="line 1"):
            backend().renamed(wrong)


def test_the_wheel_asks_for_the_engine_that_the_project_has() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    packages = tomllib.loads((ROOT / "Pipfile").read_text())["packages"]
    ours = sorted(f"{name}{version}" for name, version in packages.items() if name.startswith("cdktf"))
    assert sorted(declared["optional-dependencies"]["cdktf"]) == ours
    newest = (ROOT / "tests/engines/cdktn-0.24.txt").read_text().splitlines()
    assert sorted(declared["optional-dependencies"]["cdktn"]) == sorted(line for line in newest if "==" in line)
    assert f"jsii{packages['jsii']}" in declared["dependencies"]


def test_the_example_asks_for_the_wheel_by_its_file() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    asked = (EXAMPLE / "requirements.txt").read_text().splitlines()[-1]
    reason = "a name alone is looked for in an index, where anybody may have taken it"
    assert asked == f"./vet_platform-{version}-py3-none-any.whl[cdktf]", reason


def test_settings_made_in_python_meet_the_rules_of_those_in_files() -> None:
    settings = load()
    again = checked(settings.project, *settings.environments)
    assert again.environments == settings.environments
    assert {(each.environment, each.code) for each in again.warnings} == {
        (each.environment, each.code) for each in settings.warnings
    }
    dev = settings.environment("dev")
    invalid_dev = dev.model_copy(update={"servers": dev.servers.model_copy(update={"count": 2})})
    with pytest.raises(SettingsError) as raised:
        checked(settings.project, invalid_dev, settings.environment("prod"))
    (problem,) = raised.value.problems
    assert (problem.file, problem.key, problem.value) == ("environment dev", "servers.count", "2"), problem


def test_the_list_of_what_is_public_is_fresh_and_changelog_speaks_of_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remedy = "run `make library`, after an entry in CHANGELOG that begins with `- **Library**`"
    assert surface.LIST.read_text() == surface.written(surface.entries(), surface.surface()), remedy
    monkeypatch.setattr(surface, "LIST", tmp_path / "library.txt")
    monkeypatch.setattr(surface, "ROOT", tmp_path)
    monkeypatch.setattr(surface, "surface", lambda: ["", "modules.aws.bridges"])
    surface.LIST.write_text(surface.written(surface.entries(), ["", "modules.aws.servers"]))
    assert surface.main() == 1, "it was written without an entry"
    assert "modules.aws.servers" in surface.LIST.read_text()
    changed = tmp_path / "CHANGELOG.md"
    changed.write_text(
        surface.CHANGELOG.read_text().replace("## Unreleased", "## Unreleased\n\n- **Library**: bridges.")
    )
    monkeypatch.setattr(surface, "CHANGELOG", changed)
    assert surface.main() == 0
    assert "modules.aws.bridges" in surface.LIST.read_text()


def test_the_list_has_what_a_user_writes() -> None:
    lines = surface.surface()
    servers = lines[lines.index("modules.aws.servers") : lines.index("modules.aws.servers") + 40]
    for expected in (
        "  class Servers(Construct)",
        "    __init__(self, scope: Construct, id_: str, *, context: NodeContext, role: InstanceRole)",
        "    attribute servers",
        "    property first(self) -> Server",
        "    id data_volume: EbsVolume",
    ):
        assert any(line.startswith(expected) for line in servers), f"{expected} is not in\n" + "\n".join(servers)
    outputs = lines[lines.index("outputs of vet-dev") : lines.index("outputs of vet-dev-helm")]
    assert {"  api_host", "  zone_id"} <= set(outputs), outputs
