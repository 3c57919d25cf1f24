"""Reminders sent beside the requests of a real replica: a slow mail server, a second replica, an end in the middle."""

from __future__ import annotations

import re
import socketserver
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from clinic.demo.data import PASSWORD
from load.people import Person
from tests.runtime.conftest import Clinic
from tests.runtime.servers import manage, production, start, until

pytestmark = [pytest.mark.postgresql, pytest.mark.once]
PROCESS_IS_GONE = "from clinic.models import *; ReminderRun.objects.update(updated_at='2000-01-01T00:00:00Z')"


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mails, and keeps who they were for; answers for none before it may."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.may_answer, self.asked = threading.Event(), threading.Event()
        self.recipients: List[str] = []


class Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as a mail takes."""

    server: MailServer

    def say(self, line: str) -> None:
        """One line of the answer."""
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        """Until the other side hangs up."""
        self.say("220 ready")
        for line in iter(self.rfile.readline, b""):
            word = line.strip().upper()
            if word.startswith(b"RCPT TO:"):
                self.server.recipients.append(line[9:].split(b">")[0].decode())
            if word == b"DATA":
                self.say("354 go on")
            elif word == b".":
                self.server.asked.set()
                self.server.may_answer.wait(60)
                self.say("250 taken")
            elif word.split(b" ")[0] in (b"EHLO", b"MAIL", b"RCPT", b"QUIT"):
                self.say("250 fine")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def demonstration(environment: Dict[str, str], folder: Path) -> None:
    """The demonstration's animals, four of whose owners are to be written to."""
    local = {**environment, "VET_ENV": "local", "VAR_DIR": str(folder)}
    for command in ("migrate_locked", "demo"):
        done = manage(local, command)
        assert done.returncode == 0, done.stderr


def press(person: Person) -> str:
    """Send the reminders, and the page that follows."""
    token = person.ask("GET", "/reminders/").partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    person.ask("POST", "/reminders/send/", f"csrfmiddlewaretoken={token}", form, 302)
    return person.ask("GET", "/reminders/")


def written_to(environment: Dict[str, str]) -> int:
    """Send what is due; how many owners that were, which depends on the demonstration's day."""
    done = manage(environment, "send_reminders")
    match = re.search(r"Owners written to: (\d+)\. Failed: 0\.", done.stdout)
    assert match, done.stdout + done.stderr
    return int(match.group(1))


def test_each_owner_is_written_to_once_whatever_ends_in_between(
    production_clinic: Clinic, new_database: Any, tmp_path: Path
) -> None:
    with mail_server() as mails:
        static = Path(production_clinic.environment["STATIC_ROOT"])
        environment = {
            **production(new_database("sending"), static),
            "EMAIL_URL": f"smtp://127.0.0.1:{mails.server_address[1]}?tls=no",
        }
        demonstration(environment, tmp_path)
        replicas = [start(environment, tmp_path) for _number in range(2)]
        try:
            for replica in replicas:
                until(replica.ready, f"the replica must be ready: {replica.log}")
            first, second = (Person(replica.port, "reception", PASSWORD) for replica in replicas)
            assert "are being sent" in press(first), "the answer does not wait for the mail server"
            assert mails.asked.wait(60), "the mail is on its way"
            assert "are being sent" in press(second), "the other replica sees the run and begins none of its own"
            replicas[0].process.terminate()
            until(lambda: not replicas[0].ready(), "the replica must know that it ends")
            mails.may_answer.set()
            assert replicas[0].process.wait(60) == 0
            assert len(mails.recipients) == 1, "the mail on its way is finished, and no other begun"
            assert manage(environment, "shell", "-c", PROCESS_IS_GONE).returncode == 0
            assert "was interrupted" in second.ask("GET", "/reminders/")
            rest = written_to(environment)
            assert rest > 1, "what was interrupted had more to write"
            assert written_to(environment) == 0, "nobody is left"
        finally:
            for replica in replicas:
                replica.process.kill()
                replica.process.wait()
        assert len(set(mails.recipients)) == len(mails.recipients) == 1 + rest, mails.recipients
