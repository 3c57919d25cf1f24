"""Runs the stand-ins without their start-up time, and the real AWS CLI (PyPI ``awscli``, version 1: the same commands as version 2's).

One process loads Python's modules, and one the CLI as well. A stand-in is a few lines of bash that send their process id and their name; the
server takes what that process has (files, environment, folder, mask) and runs the call in a fork, which ends when the caller does. Where Linux
does not let one process have another's files (Yama's ptrace_scope, kernels before 5.6), the answer is ``plain`` and the stand-in starts Python
itself.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

LOADED = ("email.utils", "json", "shutil", "subprocess", "urllib.parse")
"""Modules of Python that stand-ins import: each fork has them."""

PR_SET_PDEATHSIG = 1
"""The option of Linux's prctl by which a process ends with its parent."""

PIDFD_GETFD = 438
"""The number of Linux's system call of that name, the same on every architecture; Python has no function for it."""


def serve() -> None:
    """Answer calls on two ports of loopback, which are printed first, until the parent is gone.

    The second has the AWS CLI. A fork costs what its process holds, and four of five calls are of something else: they have the first.
    """
    plain, with_cli = (socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2))
    for name in LOADED:
        importlib.import_module(name)
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        _accept(plain, None)
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    for service in ("s3", "secretsmanager", "ssm", "ec2"):
        # Loads the service's model and endpoint rules, which every fork then has.
        driver.session.create_client(service, "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    print(plain.getsockname()[1], with_cli.getsockname()[1], flush=True)
    _accept(with_cli, driver)


def _accept(listener: socket.socket, driver: object) -> None:
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while os.getppid() != 1:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(connection, driver)
            os._exit(0)
        connection.close()


def _answer(connection: socket.socket, driver: object) -> None:
    caller, name = connection.recv(1 << 10).decode().split()[:2]
    answer = str(_run(int(caller), name, connection, driver)) if _take_files(int(caller)) else "plain"
    with contextlib.suppress(OSError):
        connection.sendall(f"{answer}\n".encode())


def _take_files(caller: int) -> bool:
    """Have the caller's own input, output and errors, with their places in files; returns whether Linux allows it."""
    process = os.pidfd_open(caller)
    for number in range(3):
        file = ctypes.CDLL(None).syscall(PIDFD_GETFD, process, number, 0)
        if file < 0:
            return False
        os.dup2(file, number)
        os.close(file)
    os.close(process)
    return True


def _run(caller: int, name: str, connection: socket.socket, driver: object) -> int:
    """Run a call as the caller would, and end when the caller is killed."""
    process = Path(f"/proc/{caller}")
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETFL, os.O_ASYNC)  # SIGIO, which ends this process, when the connection ends
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    for variable in process.joinpath("environ").read_bytes().decode().rstrip("\0").split("\0"):
        key, _, value = variable.partition("=")
        os.environ[key] = value
    os.chdir(process / "cwd")
    mask = re.search(r"^Umask:\s*(\d+)", process.joinpath("status").read_text(), re.MULTILINE)
    os.umask(int(mask[1], 8) if mask else 0o022)
    # Nothing is left to close: the fork ends with the call.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww"))
    _bash, _script, *arguments = process.joinpath("cmdline").read_bytes().decode().split("\0")[:-1]
    import stand_in
    import state

    state.session, stand_in.aws_cli = os.getsid(caller), driver
    try:
        stand_in.call(name, arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # as Python itself would end
        sys.excepthook(*sys.exc_info())
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
    return code


if __name__ == "__main__":
    serve()
