"""The command ``aws``: hands its call to the server that has the real AWS CLI loaded, after the failures that a test
asked for."""

import json
import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import state

arguments = sys.argv[1:]
if arguments == ["--version"]:
    print("aws-cli/2.36.7 Python/3.11 stand-in for the version only")
    sys.exit(0)
state.record(["aws", *arguments])
with state.world() as world:
    # [pattern, times, message]: fail so many calls that match.
    for failure in world["aws_failures"]:
        if failure[0] in " ".join(arguments) and failure[1] > 0:
            failure[1] -= 1
            message = failure[2]
            break
    else:
        message = ""
clock = state.ROOT.parent / "clock"
if (
    clock.exists() and abs(int(clock.read_text())) > 300
):  # AWS refuses a signature that is older (RequestTimeTooSkewed in S3: 15 minutes)
    message = "An error occurred (SignatureDoesNotMatch): Signature expired: the clock of this machine is off"
if message:
    print(message, file=sys.stderr)
    sys.exit(254)
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.connect(os.environ["STAND_IN_AWS"])
request = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
if world.get("aws_warning"):
    print(world["aws_warning"], file=sys.stderr)
code = int(connection.recv(16).decode() or 255)
state.crash_if_told(["aws", *arguments])
sys.exit(code)
