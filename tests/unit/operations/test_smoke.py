"""The test after a deploy: who gets in, what counts as working, and that it opens and closes its account."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from operations.application import smoke as module
from operations.application.smoke import Address, account, visit
from operations.shared.errors import Failure
from tests.pipeline.clinic import Clinic, clinic

HOST, BROKEN = "vet-app.dev.example.com", "vet-app.example.com"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A clinic at two addresses, one of which fails after the log-in."""
    with clinic(tmp_path_factory.mktemp("clinic"), [HOST, BROKEN], lambda host: host == HOST) as served:
        yield served


@pytest.fixture
def proxied(there: Clinic, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """Reached as from behind a company's proxy."""
    monkeypatch.setenv("https_proxy", there.proxy)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(module, "WAIT_SECONDS", 0)
    return there


def test_a_record_is_read_after_the_log_in(proxied: Clinic) -> None:
    assert (
        visit(Address(HOST, authority=proxied.authority), "smoke-test", "right")
        == "logged in, and read a patient's record"
    )


def test_a_wrong_password_is_no_log_in(proxied: Clinic) -> None:
    with pytest.raises(Failure, match=f"https://{HOST}/login/ does not let the account of the test in"):
        visit(Address(HOST, authority=proxied.authority), "smoke-test", "wrong")


def test_a_page_that_fails_is_named_with_its_answer(proxied: Clinic) -> None:
    with pytest.raises(Failure, match=f"https://{BROKEN}/.* answers 500"):
        visit(Address(BROKEN, authority=proxied.authority), "smoke-test", "right")


def test_a_certificate_that_nobody_trusts_is_no_working_address(proxied: Clinic) -> None:
    with pytest.raises(Failure, match="certificate verify failed"):
        visit(Address(HOST), "smoke-test", "right")


def test_another_place_may_be_named_and_the_certificate_is_still_the_host_s(
    there: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setattr(module, "WAIT_SECONDS", 0)
    at = f"127.0.0.1:{there.port}"
    assert "read a patient's record" in visit(Address(HOST, at, there.authority), "smoke-test", "right")
    with pytest.raises(Failure, match="certificate verify failed"):
        visit(Address("elsewhere.example.com", at, there.authority), "smoke-test", "right")
    assert urlsplit(there.proxy).hostname == "127.0.0.1"


class Pod:
    """kubectl in a pod that makes the account."""

    def __init__(self) -> None:
        self.called: list[tuple[str, ...]] = []

    def __call__(self, *words: str) -> str:
        self.called.append(words)
        return json.dumps({"username": "smoke-test", "password": "secret-7f"})


def test_the_account_is_closed_whatever_happens() -> None:
    pod = Pod()

    def tried() -> None:
        with account(pod) as (user, password):
            raise Failure(f"{user} and {password} do not get in")

    with pytest.raises(Failure, match="smoke-test and secret-7f"):
        tried()
    assert [words[-1] for words in pod.called] == ["smoke_test_account", "--close"]


def test_the_password_is_printed_nowhere(proxied: Clinic, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    visit(Address(HOST, authority=proxied.authority), "smoke-test", "right")
    captured = capsys.readouterr()
    assert "right" not in captured.out + captured.err
