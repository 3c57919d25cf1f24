"""The command ``aws``: the real AWS CLI, after the failures that a test asked for."""

import contextlib
import subprocess
import sys

import stand_in
import state


def aws(arguments: list[str]) -> None:
    """Make a call of the AWS CLI; ends as it ends."""
    if arguments == ["--version"]:
        print("aws-cli/2.36.7 Python/3.11 stand-in for the version only")
        return
    with state.locked_state() as content:
        # [pattern, times, message]: fail so many calls that match.
        for failure in content["aws_failures"]:
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
        state.fail(message, 254)
    if content.get("aws_warning"):
        print(content["aws_warning"], file=sys.stderr, flush=True)
    code = _run(arguments)
    if code:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        state.crash_if_told(["aws", *arguments])
        sys.exit(code)


def _run(arguments: list[str]) -> int:
    if stand_in.aws_cli is None:
        return subprocess.run([sys.executable, "-m", "awscli", *arguments]).returncode
    try:
        return int(stand_in.aws_cli.main(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
