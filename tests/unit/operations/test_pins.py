"""What is fetched is compared: providers by Terraform's lock, RKE2 by two sources; what differs is refused, what is not known is told."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from nodes import release
from operations.shared import provider_lock
from operations.shared.errors import Failure
from operations.supply_chain import node_checksums, pins
from settings import load
from settings.engines import ENGINES
from settings.release_sets import SETS, release_set

REGISTRY = ENGINES["terraform"].registry
HELM, AWS = f"{REGISTRY}/hashicorp/helm", f"{REGISTRY}/hashicorp/aws"


def block(address: str, version: str, *hashes: str) -> str:
    lines = "".join(f'    "{each}",\n' for each in hashes)
    return f'provider "{address}" {{\n  version = "{version}"\n  hashes = [\n{lines}  ]\n}}'


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with one provider."""
    file = tmp_path / "providers.lock.hcl"
    file.write_text(f"# why\n\n{block(HELM, '3.1.1', 'zh:aa', 'zh:bb')}\n")
    monkeypatch.setattr(provider_lock, "FILE", file)
    monkeypatch.delenv(provider_lock.STAND_INS, raising=False)
    return file


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A stack that asks for two."""
    folder = tmp_path / "stack"
    folder.mkdir()
    asked = {"helm": {"source": "helm", "version": "3.1.1"}, "aws": {"source": "aws", "version": "6.25.0"}}
    (folder / "cdk.tf.json").write_text(json.dumps({"terraform": {"required_providers": asked}}))
    return folder


def test_the_file_is_about_the_versions_that_the_stacks_ask_for(output: Path) -> None:
    known = provider_lock.blocks(provider_lock.FILE.read_text())
    asked: dict[str, str] = {}
    for file in output.glob("stacks/*/cdk.tf.json"):
        asked |= provider_lock.wanted(json.loads(file.read_text()), REGISTRY)
    assert len(asked) == 3
    provider_lock.missing(asked, known)  # raises where a version differs
    for address, locked in known.items():
        sums = provider_lock.hashes(locked)
        assert len({each for each in sums if each.startswith("zh:")}) >= 10, f"{address}: not all platforms"


def test_what_is_known_goes_into_the_stack_s_lock_and_what_terraform_found_stays(lock: Path, stack: Path) -> None:
    (stack / provider_lock.NAME).write_text(f"{block(AWS, '6.25.0', 'h1:found')}\n\n{block(HELM, '3.1.1', 'zh:xx')}\n")
    assert provider_lock.put(stack, REGISTRY) == [f"{AWS} 6.25.0"], "what is not known is told"
    there = provider_lock.blocks((stack / provider_lock.NAME).read_text())
    assert provider_lock.hashes(there[HELM]) == {"zh:aa", "zh:bb"}
    assert provider_lock.hashes(there[AWS]) == {"h1:found"}


def test_nothing_is_put_where_providers_are_stand_ins(lock: Path, stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(provider_lock.STAND_INS, "yes")
    assert provider_lock.put(stack, REGISTRY) == []
    assert not (stack / provider_lock.NAME).exists()


def test_checksums_of_another_version_are_refused(lock: Path, stack: Path) -> None:
    lock.write_text(block(HELM, "3.0.0", "zh:aa") + "\n")
    with pytest.raises(Failure, match=r"helm 3\.0\.0, and the stacks ask for 3\.1\.1(?s:.*)make pins FILL=yes"):
        provider_lock.put(stack, REGISTRY)


def _program(folder: Path, output: str, code: int = 0) -> str:
    """Terraform that answers so."""
    (folder / "said").write_text(output)
    program = folder / "terraform"
    place = "${1#-chdir=}"
    program.write_text(
        f'#!/bin/sh\n[ {code} = 0 ] && cp {folder}/said "{place}/.terraform.lock.hcl"\necho no >&2\nexit {code}\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_missing_checksums_are_written_down(lock: Path, tmp_path: Path) -> None:
    lock_text = f"{block(AWS, '6.25.0', 'zh:cc')}\n\n{block(HELM, '3.1.1', 'h1:x', 'zh:aa', 'zh:bb')}\n"
    asked = {AWS: "6.25.0", HELM: "3.1.1"}
    assert provider_lock.fill(asked, _program(tmp_path, lock_text)) == [f"{AWS} 6.25.0", f"{HELM} 3.1.1"]
    assert lock.read_text() == f"# why\n\n{lock_text}"
    assert provider_lock.fill(asked, _program(tmp_path, lock_text)) == [], "nothing is new the second time"


def test_a_package_that_was_replaced_is_refused_and_nothing_is_written(lock: Path, tmp_path: Path) -> None:
    before = lock.read_text()
    with pytest.raises(Failure, match="is not what was written down: its registry no longer knows zh:bb"):
        provider_lock.fill({HELM: "3.1.1"}, _program(tmp_path, block(HELM, "3.1.1", "zh:aa", "zh:dd") + "\n"))
    with pytest.raises(Failure, match="the providers' registry was not asked; nothing was written"):
        provider_lock.fill({HELM: "3.1.1"}, _program(tmp_path, "", code=1))
    assert lock.read_text() == before


DIGEST, OTHER = "a" * 64, "b" * 64


def _release(listed: str, noted: str | None) -> Callable[[str], bytes]:
    """What a release's list and GitHub say."""

    def read(url: str) -> bytes:
        if "api.github.com" in url:
            assets = [{"name": "sha256sum-amd64.txt"}, {"name": node_checksums.FILE, "digest": noted}]
            return json.dumps({"assets": assets}).encode()
        assert "%2Brke2r" in url, url
        return f"{OTHER}  rke2.linux-amd64\n{listed}  {node_checksums.FILE}\n".encode()

    return read


@pytest.fixture
def checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped file, to be written to."""
    file = tmp_path / "checksums.yaml"
    file.write_text(release.CHECKSUMS.read_text())
    for module in (release, node_checksums):
        monkeypatch.setattr(module, "CHECKSUMS", file)
    return file


def test_rke2_s_checksum_is_written_down_where_two_sources_agree(checksums: Path) -> None:
    pinned = list(dict.fromkeys(release_set(name).rke2 for name in SETS))
    assert node_checksums.fill(_release(DIGEST, f"sha256:{DIGEST}")) == [f"RKE2 {each}" for each in pinned]
    for name in SETS:
        assert release.node_release(release_set(name)).rke2_sha256 == DIGEST
        assert f"RKE2 {release_set(name).rke2}" not in node_checksums.unknown(release.node_release(release_set(name)))
    assert "kubernetes-sigs/kubespray" in checksums.read_text(), "the other sections are as they were"
    assert node_checksums.fill(_release(DIGEST, f"sha256:{DIGEST}")) == []


@pytest.mark.parametrize(("listed", "noted"), [(DIGEST, f"sha256:{OTHER}"), (DIGEST, None), ("short", "sha256:short")])
def test_one_source_alone_or_two_that_differ_write_nothing(checksums: Path, listed: str, noted: str | None) -> None:
    before = checksums.read_text()
    with pytest.raises(Failure, match=r"its list says .*, and GitHub .*Nothing was written"):
        node_checksums.fill(_release(listed, noted))
    assert checksums.read_text() == before


def test_a_release_that_was_replaced_is_refused(checksums: Path) -> None:
    node_checksums.fill(_release(DIGEST, f"sha256:{DIGEST}"))
    with pytest.raises(Failure, match=f"is not what was written down: nodes/checksums.yaml has {DIGEST}"):
        node_checksums.fill(_release(OTHER, f"sha256:{OTHER}"))


def test_a_deploy_tells_what_is_believed() -> None:
    for environment in load().environments:
        lines = list(pins.believed(environment))
        rke2 = environment.cluster.releases.rke2
        assert (f"RKE2 {rke2}" in lines) is not bool(release.node_release(environment.cluster.releases).rke2_sha256)


def test_make_pins_shows_it(lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(pins, "_providers", lambda _: {HELM: "3.1.1", AWS: "6.25.0"})
    pins.run()
    lines = capsys.readouterr().out.splitlines()
    assert f"  provider {AWS} 6.25.0" in lines
    assert not [line for line in lines if HELM in line], "its checksums are known"
    expected = {f"  {each}" for environment in load().environments for each in pins.believed(environment)}
    assert expected <= set(lines)
