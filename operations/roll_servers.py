"""``make roll-servers ENV=prod``: bring new images, configuration and types to the servers, one slot at a time.

A server is replaced by Terraform; its address and its data volume stay, so it comes back as the same etcd member.
Before and after each, etcd must be whole; at the first doubt this stops.

Running it again goes on, whatever stopped it: a record in the bucket says which server is being replaced and whether it was
drained for that (``roll_record``), a machine that is missing is made again, and what is as it should be is passed over.
"""

import base64
import json
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

import main
from operations import restore_record, roll_record
from operations.consent import agreed
from operations.failure import Failure, refuse_placeholders
from operations.lock import lock
from operations.roll_record import Record
from operations.servers import Cluster, Server, names_of
from operations.terraform import STACKS, Terraform, program, to_its_end
from settings import load
from settings.names import infrastructure_stack

BACK_SECONDS = 2400
"""Longest wait for a replaced server: images are pulled anew, and it decides at leisure."""

console = Console(highlight=False)


class Rolling:
    """Replacing the servers of one environment."""

    def __init__(self, cluster: Cluster, *, unattended: bool = False) -> None:
        self.cluster = cluster
        self.count = cluster.environment.servers.count
        self.stack = infrastructure_stack(cluster.environment.name)
        self.terraform = Terraform(self.stack, unattended=unattended)
        self.wanted = wanted_servers(json.loads((STACKS / self.stack / "cdk.tf.json").read_text(encoding="utf-8")))

    def roll(self) -> int:
        """Finish what an earlier run has begun, then replace every server that is not as it should be, the highest slot first.

        :returns: how many were replaced.

        Raises:
            Failure: At the first doubt. What was done stays done.
        """
        if restore_record.read(self.cluster) is not None:
            raise Failure(f"a restore is unfinished; first: make restore ENV={self.cluster.environment.name}")
        unfinished = roll_record.read(self.cluster)
        self.make_missing()
        if unfinished:
            self.finish(unfinished)
        servers = self.refuse_unless_whole()
        outdated = {server.slot: reasons for server in servers if (reasons := self.differences(server))}
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
        self._terraform("plan", f"-out={plan}", "-input=false")
        refuse_other_servers(self._planned(plan), made=[self.wanted[slot]["address"] for slot in missing])
        self._ask(f"Make {listed} again?")
        self._terraform("apply", "-input=false", str(plan))
        for slot in missing:
            self._wait_until_back(slot, "")

    def finish(self, record: Record) -> None:
        """End a replacement that an earlier run has begun, unless the old machine still has to go."""
        found = [server for server in self.cluster.servers() if server.slot == record.slot]
        if found and found[0].instance == record.instance and self.differences(found[0]):
            console.print(f"server {record.slot}: an earlier run began to replace it, and this one goes on")
            return
        if found and record.slot < self.count:
            self._let_back(self._wait_until_back(record.slot, ""), record)
        roll_record.forget(self.cluster)

    def refuse_unless_whole(self) -> list[Server]:
        """The servers, when every one of them runs and says that etcd is whole.

        Raises:
            Failure: Naming each doubt of each server. Taking another server down would then risk the majority.
        """
        servers = self.cluster.servers()
        doubts = [f"server {slot} has no running machine" for slot in range(self.count) if slot not in _slots(servers)]
        doubts += [
            f"server {server.slot}: {doubt}"
            for server in servers
            if server.running
            for doubt in self.cluster.health(server).doubts(self.count)
        ]
        if doubts:
            raise Failure(
                "stopping before another server is taken down, because the cluster is not whole:\n  "
                + "\n  ".join(doubts)
                + "\ndocs/runbooks/lost-server.md tells how to look; then run the same command again, which goes on"
            )
        return servers

    def differences(self, server: Server) -> list[str]:
        """Why a server is to be replaced: what a new one would have that it has not."""
        wanted = self.wanted[server.slot]
        found = []
        if server.instance_type != wanted["instance_type"]:
            found.append(f"type {server.instance_type} becomes {wanted['instance_type']}")
        image = self._image()
        if server.image != image:
            found.append(f"image {server.image} becomes {image}")
        if server.key_name != self.cluster.names.key_pair:
            found.append(
                f"SSH key pair {server.key_name or '(none)'} becomes {self.cluster.names.key_pair or '(none)'}"
            )
        if not _pattern(wanted["user_data"]).fullmatch(self._user_data(server)):
            found.append("programs or configuration are newer")
        return found

    def replace(self, slot: int) -> None:
        """Drain, replace, wait until etcd is whole again, and let workloads back."""
        servers = self.refuse_unless_whole()
        before = next(server for server in servers if server.slot == slot)
        address = self.wanted[slot]["address"]
        plan = Path("tfplan")
        self._terraform("plan", f"-replace={address}", f"-out={plan}", "-input=false")
        refuse_other_servers(self._planned(plan), taken_down=[address])
        self._ask(f"Replace server {slot} ({before.instance})?")
        record = self._begin(before)
        if self.count > 1:
            self._drain(before, record)
        if self.cluster.environment.protect:
            self._unprotect(before)
        try:
            self._terraform("apply", "-input=false", str(plan))
        except (subprocess.CalledProcessError, KeyboardInterrupt):
            console.print(f"server {slot} is drained or gone; the same command again goes on with it")
            raise
        after = self._wait_until_back(slot, before.instance)
        self._let_back(after, record)
        roll_record.forget(self.cluster)
        console.print(f"[green]done[/]  server {slot} is {after.instance}")

    def _begin(self, server: Server) -> Record:
        """Write down what is about to happen, so that whoever runs the command next knows whose cordon it is."""
        known, cordoned = roll_record.read(self.cluster), self.cluster.health(server).cordoned
        ours = known is not None and known.slot == server.slot and known.drained
        if cordoned not in ("true", "false"):
            raise Failure(f"server {server.slot} cannot say whether its Node is cordoned; nothing of it was changed")
        record = Record(server.slot, server.instance, drained=self.count > 1 and (ours or cordoned == "false"))
        roll_record.write(self.cluster, record)
        return record

    def _drain(self, server: Server, record: Record) -> None:
        try:
            with console.status(f"draining server {server.slot}"):
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
        if not self.terraform.unattended and not agreed(console, question):
            raise Failure("stopped before changing a server; run the same command again to go on")

    def _wait_until_back(self, slot: int, old_instance: str) -> Server:
        deadline, doubts = time.monotonic() + BACK_SECONDS, ["it has no machine"]
        with console.status(f"waiting for server {slot}") as status:
            while True:
                found = [server for server in self.cluster.servers() if server.slot == slot and server.running]
                if found and found[0].instance != old_instance:
                    try:
                        doubts = self.cluster.health(found[0]).doubts(self.count)
                    except Failure as failure:
                        doubts = [str(failure).splitlines()[0]]
                    if not doubts:
                        return found[0]
                    status.update(f"waiting for server {slot}: {doubts[0]}")
                if time.monotonic() > deadline:
                    break
                time.sleep(15)
        raise Failure(
            f"server {slot} is not back after {BACK_SECONDS // 60} minutes: {'; '.join(doubts)}.\n"
            "No other server was touched. docs/runbooks/lost-server.md tells how to look; then run the same command again: it\n"
            "waits for this server, lets workloads back on it, and goes on."
        )

    def _image(self) -> str:
        image = self.cluster.environment.image
        if image.pin:
            return image.pin
        wanted = [{"Name": "name", "Values": [image.name]}, {"Name": "architecture", "Values": ["x86_64"]}]
        try:
            found = self.cluster.client("ec2").describe_images(Owners=[image.owner], Filters=wanted)["Images"]
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"AWS does not tell which image {image.name} is the newest: {error}") from error
        if not found:
            raise Failure(f"no image of {image.owner} is called {image.name} (image.name in environments/)")
        return str(max(found, key=lambda one: one["CreationDate"])["ImageId"])

    def _user_data(self, server: Server) -> str:
        try:
            answer = self.cluster.client("ec2").describe_instance_attribute(
                InstanceId=server.instance, Attribute="userData"
            )
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"AWS does not tell the user data of {server.instance}: {error}") from error
        return base64.b64decode(answer["UserData"].get("Value", "")).decode()

    def _terraform(self, *arguments: str) -> None:
        to_its_end([program(), f"-chdir={STACKS / self.stack}", *arguments], {})

    def _planned(self, plan: Path) -> dict[str, Any]:
        command = [program(), f"-chdir={STACKS / self.stack}", "show", "-json", str(plan)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        planned: dict[str, Any] = json.loads(answer.stdout)
        return planned


def wanted_servers(document: dict[str, Any]) -> dict[int, dict[str, str]]:
    """Servers of a synthesised stack by slot: Terraform address, type and user data."""
    instances = document["resource"]["aws_instance"].items()
    return {
        int(instance["tags"]["vet:slot"]): {"address": f"aws_instance.{name}", **instance}
        for name, instance in instances
        if "vet:slot" in instance.get("tags", {})
    }


def refuse_other_servers(planned: dict[str, Any], *, taken_down: Sequence[str] = (), made: Sequence[str] = ()) -> None:
    """Stop when a plan does anything else to machines than what is wanted.

    :param taken_down: Terraform addresses of the machines that it must take down, and make again.
    :param made: addresses of those that it must make.

    Raises:
        Failure: Naming what the plan would do.
    """
    machines = [each for each in planned.get("resource_changes", []) if each["type"] == "aws_instance"]
    actions = {each["address"]: each["change"]["actions"] for each in machines}
    down = sorted(address for address, action in actions.items() if "delete" in action)
    new = sorted(address for address, action in actions.items() if action == ["create"])
    if down != sorted(taken_down) or not set(made) <= set(new):
        raise Failure(
            f"this plan would take down {', '.join(down) or 'nothing'} and make {', '.join(new) or 'nothing'}. Wanted is to"
            f" take down {', '.join(taken_down) or 'nothing'} and to make {', '.join(made) or 'nothing else'}.\n"
            "Nothing was changed. A machine that is just ending is known to Terraform for a minute: try again. Otherwise make"
            " plan shows what else changes: bring that in first, with make deploy"
        )


def _pattern(text: str) -> re.Pattern[str]:
    """Matches the text with any value in place of Terraform's references."""
    parts = re.split(r"\$\{[^}]*\}", text)
    return re.compile("[^'\"\\s]*".join(re.escape(part) for part in parts))


def _slots(servers: list[Server]) -> set[int]:
    return {server.slot for server in servers if server.running}


def roll(name: str, *, unattended: bool = False) -> int:
    """Roll the servers of an environment; returns how many were replaced. Raises ``Failure`` at the first doubt."""
    settings = load()
    refuse_placeholders(settings)
    cluster = Cluster(name)
    main.build_app(settings).synth()
    with lock(cluster, "roll-servers"):
        return Rolling(cluster, unattended=unattended).roll()
