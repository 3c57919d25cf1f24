"""The real AWS CLI (PyPI ``awscli``, version 1: the same commands as version 2's) without its start-up time.

One process loads it; the stand-in ``aws`` sends it arguments, environment and its own three files, and it runs each
call in a fork.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import sys
from pathlib import Path


def serve(path: str) -> None:
    """Answer calls on a Unix socket until the parent is gone."""
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    for service in ("s3", "secretsmanager", "ssm", "ec2"):
        # Loads the service's model and endpoint rules, which every fork then has.
        driver.session.create_client(service, "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    while os.getppid() != 1:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _run(driver, connection)
            os._exit(0)
        connection.close()


def _run(driver: object, connection: socket.socket) -> None:
    message, files, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    request = json.loads(message)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the fork ends with the call, nothing is left to close
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    try:
        code = driver.main(request["arguments"])  # type: ignore[attr-defined]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(str(code).encode())


if __name__ == "__main__":
    serve(str(Path(sys.argv[1])))
