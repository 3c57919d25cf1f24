"""``make roll-servers ENV=prod``: bring new images, configuration and types to the servers, one slot at a time.

A server is replaced by Terraform; its address and its data volume stay, so it comes back as the same etcd member.
Before and after each, etcd must be whole; at the first problem this stops.

Running it again goes on, whatever stopped it: a record in the bucket says which server is being replaced and whether it was
drained for that (``roll_record``), a machine that is missing is made again, and what is as it should be is passed over.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import main
from operations.cluster import restore_record, roll_record
from operations.cluster.lock import Held, lock
from operations.cluster.roll_record import Record
from operations.cluster.server_differences import differences, refuse_skipped_minors, wanted_servers
from operations.shared.consent import agreed
from operations.shared.console import terminal, wait_until, waiting
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.servers import Cluster, Server, names_of
from operations.shared.stack_json import Document
from operations.shared.terraform import Terraform
from settings import load
from settings.names import infrastructure_stack

BACK_SECONDS = 2400
"""Longest wait for a replaced server: it pulls its images again."""

console = terminal()


class ServerReplacement:
    """Replacing the servers of one environment.

    :param held: the lock of the environment's servers, looked at before each server is taken down.
    :param back: whether servers go to the former minor of Kubernetes, whose snapshot was restored.
    """

    def __init__(
        self, cluster: Cluster, *, auto_approve: bool = False, held: Held | None = None, back: bool = False
    ) -> None:
        self.cluster, self.held, self.back = cluster, held, back
        self.count = cluster.environment.servers.count
        self.stack = infrastructure_stack(cluster.environment.name)
        self.terraform = Terraform(self.stack, auto_approve=auto_approve)
        self.wanted = wanted_servers(Document.read(self.stack))

    def roll(self) -> int:
        """Finish what an earlier run has begun, then replace every server that is not as it should be, the highest slot first.

        :returns: how many were replaced.

        Raises:
            Failure: At the first problem. What was done stays done.
        """
        if restore_record.read(self.cluster) is not None:
            raise Failure(
                f"a restore is unfinished; first: make restore ENV={self.cluster.environment.name}, which goes on with it, or"
                " with GIVE_UP=yes, which ends it"
            )
        refuse_skipped_minors(self.cluster, self.cluster.servers(), self.wanted, back=self.back)
        unfinished = roll_record.read(self.cluster)
        self.make_missing()
        if unfinished:
            self.finish(unfinished)
        servers = self.require_healthy()
        outdated = {server.slot: reasons for server in servers if (reasons := self._differences(server))}
        if not outdated:
            console.print(f"all {self.count} server(s) of {self.cluster.names.base} are as they should be")
            return 0
        for slot, reasons in outdated.items():
            console.print(f"server {slot}: {', '.join(reasons)}")
        self.terraform.init("-reconfigure")
        begun = unfinished.slot if unfinished else None
        for slot in sorted(outdated, key=lambda slot: (slot != begun, -slot)):
            console.rule(f"server {slot}")
            self.replace(slot)
        console.print(f"[green]done[/]  {len(outdated)} server(s) replaced, all {self.count} vote in etcd")
        return len(outdated)

    def make_missing(self) -> None:
        """Have Terraform make the servers that have no machine, as an interrupted replacement leaves one.

        Raises:
            Failure: a machine is stopped, Terraform would do anything else to the servers, or they do not come back.
        """
        servers = self.cluster.servers()
        if stopped := [server for server in servers if not server.running]:
            ids = " ".join(server.instance for server in stopped)
            raise Failure(
                f"{names_of(stopped)}: there is a machine, and it does not run. Start it, then run the same command again:\n"
                f"  aws ec2 start-instances --region {self.cluster.environment.region} --instance-ids {ids}"
            )
        missing = sorted(set(range(self.count)) - {server.slot for server in servers})
        if not missing:
            return
        listed = ", ".join(f"server {slot}" for slot in missing)
        console.print(f"{listed}: there is no machine; Terraform makes it again, with the same address and data volume")
        self.terraform.init("-reconfigure")
        plan = Path("tfplan")
        self.terraform.plan(plan)
        refuse_other_servers(self.terraform.show(plan), created=[self.wanted[slot]["address"] for slot in missing])
        self._ask(f"Make {listed} again?")
        self.terraform.apply_plan(plan)
        for slot in missing:
            self._wait_until_back(slot, "")

    def finish(self, record: Record) -> None:
        """End a replacement that an earlier run has begun, unless the old machine still has to go."""
        matching = [server for server in self.cluster.servers() if server.slot == record.slot]
        if matching and matching[0].instance == record.instance and self._differences(matching[0]):
            console.print(f"server {record.slot}: an earlier run began to replace it, and this one goes on")
            return
        if matching and record.slot < self.count:
            self._let_back(self._wait_until_back(record.slot, ""), record)
        roll_record.forget(self.cluster)

    def require_healthy(self) -> list[Server]:
        """The servers, when every one of them runs and says that etcd is whole.

        Raises:
            Failure: Naming each problem of each server. Taking another server down would then risk the majority.
        """
        servers = self.cluster.servers()
        problems = [
            f"server {slot} has no running machine" for slot in range(self.count) if slot not in _slots(servers)
        ]
        with waiting(console, "asking the servers whether etcd is whole"):
            problems += [
                f"server {server.slot}: {problem}"
                for server in servers
                if server.running
                for problem in self.cluster.health(server).problems(self.count)
            ]
        if problems:
            raise Failure(
                "stopping before another server is taken down, because the cluster is not whole:\n  "
                + "\n  ".join(problems)
                + "\ndocs/runbooks/lost-server.md tells how to look; then run the same command again, which goes on"
            )
        return servers

    def _differences(self, server: Server) -> list[str]:
        return differences(self.cluster, server, self.wanted[server.slot])

    def replace(self, slot: int) -> None:
        """Drain, replace, wait until etcd is whole again, and let workloads back."""
        servers = self.require_healthy()
        before = next(server for server in servers if server.slot == slot)
        address = self.wanted[slot]["address"]
        plan = Path("tfplan")
        self.terraform.plan(plan, replace=address)
        refuse_other_servers(self.terraform.show(plan), taken_down=[address])
        self._ask(f"Replace server {slot} ({before.instance})?")
        if self.held:
            self.held.check()
        record = self._begin(before)
        if self.count > 1:
            self._drain(before, record)
        if self.cluster.environment.deletion_protection:
            self._unprotect(before)
        try:
            self.terraform.apply_plan(plan)
        except (subprocess.CalledProcessError, KeyboardInterrupt):
            console.print(f"server {slot} is drained or gone; the same command again goes on with it")
            raise
        after = self._wait_until_back(slot, before.instance)
        self._let_back(after, record)
        roll_record.forget(self.cluster)
        console.print(f"[green]done[/]  server {slot} is {after.instance}")

    def _begin(self, server: Server) -> Record:
        """Write down what is about to happen, so that the next run of the command knows whose cordon it is."""
        known, cordoned = roll_record.read(self.cluster), self.cluster.health(server).cordoned
        ours = known is not None and known.slot == server.slot and known.drained
        if cordoned not in ("true", "false"):
            raise Failure(f"server {server.slot} cannot say whether its Node is cordoned; nothing of it was changed")
        record = Record(server.slot, server.instance, drained=self.count > 1 and (ours or cordoned == "false"))
        roll_record.write(self.cluster, record)
        return record

    def _drain(self, server: Server, record: Record) -> None:
        try:
            with waiting(console, f"draining server {server.slot}"):
                self.cluster.run(server, "drain", seconds=900)
        except Failure as failure:
            self._let_back(server, record)
            roll_record.forget(self.cluster)
            raise Failure(
                f"{failure}\nserver {server.slot} could not be emptied: it was not replaced, and takes workloads as before.\n"
                "Often a disruption budget holds it up: kubectl get poddisruptionbudgets -A. Then run the same command again"
            ) from failure

    def _let_back(self, server: Server, record: Record) -> None:
        """Undo the cordon, if it is the roll's own."""
        if record.drained:
            self.cluster.run(server, "drain", "undo", seconds=120)
        elif self.count > 1:
            console.print(f"server {server.slot} was cordoned before, by somebody else, and stays so")

    def _unprotect(self, server: Server) -> None:
        try:
            self.cluster.client("ec2").modify_instance_attribute(
                InstanceId=server.instance, DisableApiTermination={"Value": False}
            )
        except (BotoCoreError, ClientError) as error:
            raise Failure(
                f"server {server.slot} ({server.instance}) is protected, and AWS does not allow to change that: {error}.\n"
                "It is drained; the same command again goes on with it"
            ) from error

    def _ask(self, question: str) -> None:
        if not self.terraform.auto_approve and not agreed(console, question):
            raise Failure("stopped before changing a server; run the same command again to go on")

    def _wait_until_back(self, slot: int, old_instance: str) -> Server:
        problems = ["it has no machine"]
        with waiting(console, f"waiting for server {slot}") as show:

            def back() -> Server | None:
                nonlocal problems
                matching = [server for server in self.cluster.servers() if server.slot == slot and server.running]
                if matching and matching[0].instance != old_instance:
                    try:
                        problems = self.cluster.health(matching[0]).problems(self.count)
                    except Failure as failure:
                        problems = [failure.problem]
                    if not problems:
                        return matching[0]
                    show(f"waiting for server {slot}: {problems[0]}")
                return None

            if server := wait_until(back, seconds=BACK_SECONDS, poll=(15,)):
                return server
        raise Failure(
            f"server {slot} is not back after {BACK_SECONDS // 60} minutes: {'; '.join(problems)}.\n"
            "No other server was touched. docs/runbooks/lost-server.md tells how to look; then run the same command again: it\n"
            "waits for this server, lets workloads back on it, and goes on."
        )


def refuse_other_servers(
    planned: dict[str, Any], *, taken_down: Sequence[str] = (), created: Sequence[str] = ()
) -> None:
    """Stop when a plan does anything else to machines than what is wanted.

    :param taken_down: Terraform addresses of the machines that it must take down, and make again.
    :param created: addresses of those that it must make.

    Raises:
        Failure: Naming what the plan would do.
    """
    machines = [each for each in planned.get("resource_changes", []) if each["type"] == "aws_instance"]
    actions = {each["address"]: each["change"]["actions"] for each in machines}
    down = sorted(address for address, action in actions.items() if "delete" in action)
    new = sorted(address for address, action in actions.items() if action == ["create"])
    if down != sorted(taken_down) or not set(created) <= set(new):
        raise Failure(
            f"this plan would take down {', '.join(down) or 'nothing'} and make {', '.join(new) or 'nothing'}. Wanted is to"
            f" take down {', '.join(taken_down) or 'nothing'} and to make {', '.join(created) or 'nothing else'}.\n"
            "Nothing was changed. A machine that is just ending is known to Terraform for a minute: try again. Otherwise make"
            " plan shows what else changes: bring that in first, with make deploy"
        )


def _slots(servers: list[Server]) -> set[int]:
    return {server.slot for server in servers if server.running}


def roll(name: str, *, auto_approve: bool = False, back: bool = False) -> int:
    """Roll the servers of an environment; returns how many were replaced. Raises ``Failure`` at the first problem.

    :param back: whether they go to the former minor of Kubernetes, whose snapshot was restored.
    """
    settings = load()
    refuse_placeholders(settings)
    cluster = Cluster(name)
    main.build_app(settings).synth()
    with lock(cluster, "roll-servers") as held:
        return ServerReplacement(cluster, auto_approve=auto_approve, held=held, back=back).roll()
