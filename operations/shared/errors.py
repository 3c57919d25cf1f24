"""How a command stops: one message that says what to do, and no traceback."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from settings.loader import Settings, placeholders_left
from settings.problems import SettingsError
from settings.terminal import show_errors


class Failure(Exception):
    """Something that the person at the terminal can repair.

    :param problem: what is wrong.
    :param remedy: what to do; empty where the problem says it.
    :param output: what a program printed, if one has failed.
    :param code: the error code in AWS's answer, such as ``AccessDeniedException``; empty where AWS did not refuse.
    """

    def __init__(self, problem: str, remedy: str = "", *, output: str = "", code: str = "") -> None:
        text = f"{problem}:\n{output}" if output else problem
        super().__init__(f"{text}\n{remedy}" if remedy else text)
        self.problem, self.remedy, self.output, self.code = problem, remedy, output, code


ACCESS_DENIED = ("AccessDenied", "AccessDeniedException")
"""Codes by which AWS refuses an identity what it may not do (Systems Manager API: common errors)."""


def code_of(error: BotoCoreError | ClientError) -> str:
    """The error code in AWS's answer; empty if there was no answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


INTERRUPTED = 130
"""Exit status of a command that was stopped, as shells give it: 128 and the number of SIGINT."""


def run_command(command: Callable[[], object], *, stopped: str = "run the same command again to go on") -> None:
    """Run a command; turn what people can repair into a message and exit status 1.

    SIGTERM and SIGHUP (a closed terminal) are handled like Ctrl-C, so that what the command has opened is closed.

    :param stopped: what Ctrl-C leaves, and how to go on.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is signal.SIG_DFL:
            signal.signal(ending, signal.default_int_handler)
    try:
        command()
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except SettingsError as error:
        show_errors(error)
        sys.exit(1)
    except subprocess.CalledProcessError as error:
        if error.stderr:  # it was read, so it is not on the terminal yet
            output = error.stderr if isinstance(error.stderr, str) else error.stderr.decode(errors="replace")
            print(f"{' '.join(map(str, error.cmd))} ended with {error.returncode}:\n{output.strip()}", file=sys.stderr)
        sys.exit(error.returncode if error.returncode > 0 else 128 - error.returncode)
    except EOFError:
        sys.exit(
            "\nnobody is there to answer; --yes (make: AUTO_APPROVE=yes) goes on without a question."
            " Nothing was changed after it"
        )
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"\nAWS cannot be asked, or refuses: {error}\nmake doctor says more; the same command again goes on")
    except KeyboardInterrupt:
        print(f"\nstopped: {stopped}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def refuse_placeholders(settings: Settings) -> None:
    """Stop at first-day values that are still placeholders, unless an emulator on this machine plays AWS.

    Raises:
        SettingsError: naming each key and its file.
    """
    left = placeholders_left(settings.project)
    if left and not on_emulator():
        raise SettingsError(left)


def on_emulator() -> bool:
    """Whether the SDK's own endpoint variable leads to this machine."""
    host = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
    return host in ("localhost", "127.0.0.1", "::1")
