"""Agents that are about to be terminated are emptied first, by whichever server comes first."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from modules.aws.agents import DRAIN_HOOK, DRAINING
from settings.schedule import SERVER_STOP_DELAY

PROGRAM = Path(__file__).parents[3] / "nodes/bin/drain-leaving-agents"

AWS = """#!/bin/sh
echo "aws $*" >> "$VET_ROOT/calls"
case "$*" in
  *describe-auto-scaling-instances*) cat "$VET_ROOT/leaving"; exit "$(cat "$VET_ROOT/aws-status")" ;;
  *complete-lifecycle-action*) cat "$VET_ROOT/completing" >&2; [ ! -s "$VET_ROOT/completing" ] ;;
esac
"""
KUBECTL = """#!/bin/sh
echo "kubectl $*" >> "$VET_ROOT/calls"
case "$*" in
  *"get nodes"*) cat "$VET_ROOT/nodes" ;;
  *drain*blocked*) echo "error when evicting pods: Cannot evict pod as it would violate the pod's disruption budget" >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Server:
    """A folder in place of a server, with stand-ins for the AWS CLI and kubectl."""

    root: Path

    def says(self, file: str, text: str) -> None:
        """What a stand-in answers."""
        (self.root / file).write_text(text)

    def run(self) -> tuple[int, str, list[str]]:
        """Exit status, log, and the calls that changed something."""
        result = subprocess.run(
            [str(PROGRAM)], env={**os.environ, "VET_ROOT": str(self.root)}, capture_output=True, text=True, timeout=60
        )
        calls = (self.root / "calls").read_text().splitlines()
        return result.returncode, result.stderr, [call for call in calls if "drain" in call]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """One whose cluster has two agents, neither of which leaves."""
    node = Server(tmp_path)
    for folder in ("etc/vet", "usr/local/bin"):
        (tmp_path / folder).mkdir(parents=True)
    for name, text in (("aws", AWS), ("kubectl", KUBECTL), ("logger", "#!/bin/sh\n")):
        program = tmp_path / "usr/local/bin" / name
        program.write_text(text)
        program.chmod(0o755)
    node.says("etc/vet/node.env", "REGION='us-east-1'\nCLUSTER='vet-dev'\nVPC_ID='vpc-1'\n")
    node.says(
        "nodes",
        "ip-1 aws:///us-east-1a/i-111 True\nblocked aws:///us-east-1b/i-222 True\ndead aws:///us-east-1b/i-444 Unknown\n",
    )
    for file, text in (("leaving", ""), ("completing", ""), ("aws-status", "0"), ("calls", "")):
        node.says(file, text)
    return node


def test_nobody_leaves_and_nothing_is_done(server: Server) -> None:
    assert server.run() == (0, "", [])


def test_an_agent_that_leaves_is_emptied_and_then_let_go(server: Server) -> None:
    server.says("leaving", "i-111\tvet-dev-agent-a\ni-999\tvet-prod-agent-a\n")
    code, log, calls = server.run()
    assert code == 0, log
    drained, let_go = calls
    assert " drain ip-1 " in drained
    for part in (
        f"--lifecycle-hook-name {DRAIN_HOOK}",
        "--instance-id i-111",
        "--auto-scaling-group-name vet-dev-agent-a",
    ):
        assert part in let_go
    assert "i-999" not in " ".join(calls), "another cluster's agent is none of ours"


def test_an_agent_that_never_joined_is_let_go(server: Server) -> None:
    server.says("leaving", "i-333\tvet-dev-agent-a\n")
    code, log, calls = server.run()
    assert (code, len(calls)) == (0, 1), log
    assert "complete-lifecycle-action" in calls[0]


def test_a_dead_one_is_let_go_without_waiting_for_its_pods(server: Server) -> None:
    server.says("leaving", "i-444\tvet-dev-agent-b\n")
    code, log, calls = server.run()
    assert code == 0, log
    assert "is not Ready: there is nothing to wait for" in log
    assert ["complete-lifecycle-action" in call for call in calls] == [True]


def test_a_disruption_budget_holds_one_up_and_not_the_others(server: Server) -> None:
    server.says("leaving", "i-222\tvet-dev-agent-b\ni-111\tvet-dev-agent-a\n")
    code, log, calls = server.run()
    assert code == 0, log
    assert "waiting: Node blocked is not empty yet" in log
    assert [call.split("--instance-id ")[1].split()[0] for call in calls if "complete" in call] == ["i-111"]


def test_all_are_closed_before_one_is_drained(server: Server) -> None:
    """A pool that goes ends all of its nodes at once: a pod must not move from one of them to the next."""
    server.says("nodes", "".join(f"ip-{n} aws:///us-east-1a/i-{n} True\n" for n in range(12)))
    server.says("leaving", "".join(f"i-{n}\tvet-dev-agent-batch-a\n" for n in range(12)))
    code, log, calls = server.run()
    assert code == 0, log
    commands = [call.split(" ", 1)[1] for call in (server.root / "calls").read_text().splitlines() if "kubectl" in call]
    steps = [
        "cordon" if "cordon" in call else "drain" for call in commands if "cordon" in call or " drain " in f" {call} "
    ]
    assert steps == ["cordon"] * 12 + ["drain"] * 12
    assert sum("complete-lifecycle-action" in call for call in calls) == 12, "each is let go"


def test_another_server_was_faster(server: Server) -> None:
    server.says("leaving", "i-111\tvet-dev-agent-a\n")
    server.says(
        "completing", "An error occurred (ValidationError): No active Lifecycle Action found with instance ID i-111"
    )
    assert server.run()[0] == 0
    server.says("completing", "An error occurred (AccessDenied)")
    code, log, _ = server.run()
    assert code != 0
    assert "cannot let i-111 go" in log


def test_nothing_is_let_go_when_aws_does_not_answer(server: Server) -> None:
    server.says("aws-status", "254")
    server.says("leaving", "i-111\tvet-dev-agent-a\n")
    code, _, calls = server.run()
    assert code != 0
    assert calls == []


def test_agents_are_gone_before_the_servers_that_empty_them() -> None:
    assert DRAINING < SERVER_STOP_DELAY
