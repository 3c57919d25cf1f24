"""``make roll-servers ENV=prod``: bring new images, configuration and types to the servers, one slot at a time.

A server is replaced by Terraform; its address and its data volume stay, so it comes back as the same etcd member.
Before and after each, etcd must be whole; at the first doubt this stops. A server that is already as it should be is
passed over, so running it again resumes.
"""

import argparse
import base64
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from rich.console import Console

import main
from operations.failure import Failure, guided, refuse_placeholders
from operations.servers import Cluster, Server
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

    def roll(self) -> None:
        """Replace every server that is not as it should be, the highest slot first.

        Raises:
            Failure: At the first doubt. What was done stays done.
        """
        self.refuse_unless_whole()
        outdated = {server.slot: reasons for server in self.cluster.servers() if (reasons := self.differences(server))}
        if not outdated:
            console.print(f"all {self.count} server(s) of {self.cluster.names.base} are as they should be")
            return
        for slot, reasons in outdated.items():
            console.print(f"server {slot}: {', '.join(reasons)}")
        self.terraform.init("-reconfigure")
        for slot in sorted(outdated, reverse=True):
            console.rule(f"server {slot}")
            self.replace(slot)
        console.print(f"[green]done[/]  {len(outdated)} server(s) replaced, all {self.count} vote in etcd")

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
            raise Failure("stopping, because the cluster is not whole:\n  " + "\n  ".join(doubts))
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
        refuse_other_servers(self._planned(plan), address)
        if (
            not self.terraform.unattended
            and console.input(f"Replace server {slot} ({before.instance})? [yes/no] ") != "yes"
        ):
            raise Failure("stopped before replacing it; run the same command again to go on")
        if self.count > 1:
            with console.status(f"draining server {slot}"):
                self.cluster.run(before, "drain", seconds=900)
        if self.cluster.environment.protect:
            ec2 = self.cluster.client("ec2")
            ec2.modify_instance_attribute(InstanceId=before.instance, DisableApiTermination={"Value": False})
        self._terraform("apply", "-input=false", str(plan))
        after = self._wait_until_back(slot, before.instance)
        if self.count > 1:
            self.cluster.run(after, "drain", "undo", seconds=120)
        console.print(f"[green]done[/]  server {slot} is {after.instance}")

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
            "No other server was touched. docs/runbooks/lost-server.md tells how to look; then run the command again."
        )

    def _image(self) -> str:
        image = self.cluster.environment.image
        if image.pin:
            return image.pin
        found = self.cluster.client("ec2").describe_images(
            Owners=[image.owner],
            Filters=[{"Name": "name", "Values": [image.name]}, {"Name": "architecture", "Values": ["x86_64"]}],
        )["Images"]
        if not found:
            raise Failure(f"no image of {image.owner} is called {image.name} (image.name in environments/)")
        return str(max(found, key=lambda one: one["CreationDate"])["ImageId"])

    def _user_data(self, server: Server) -> str:
        ec2 = self.cluster.client("ec2")
        answer = ec2.describe_instance_attribute(InstanceId=server.instance, Attribute="userData")
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


def refuse_other_servers(planned: dict[str, Any], address: str) -> None:
    """Stop when a plan takes down any other machine than the one at ``address``, or none.

    Raises:
        Failure: Naming what the plan would take down.
    """
    down = [
        change["address"]
        for change in planned.get("resource_changes", [])
        if change["type"] == "aws_instance" and "delete" in change["change"]["actions"]
    ]
    if down != [address]:
        raise Failure(
            f"this plan would take down {', '.join(down) or 'nothing'}, and it must be {address} alone.\n"
            "Nothing was changed. Look at the plan with: cdktf diff, and bring the other change in first (make deploy)."
        )


def _pattern(text: str) -> re.Pattern[str]:
    """Matches the text with any value in place of Terraform's references."""
    parts = re.split(r"\$\{[^}]*\}", text)
    return re.compile("[^'\"\\s]*".join(re.escape(part) for part in parts))


def _slots(servers: list[Server]) -> set[int]:
    return {server.slot for server in servers if server.running}


def roll(name: str, *, unattended: bool = False) -> None:
    """Roll the servers of an environment. Raises ``Failure`` at the first doubt."""
    settings = load()
    refuse_placeholders(settings)
    cluster = Cluster(name)
    main.build_app(settings).synth()
    Rolling(cluster, unattended=unattended).roll()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make roll-servers", description=__doc__.splitlines()[0])
    parser.add_argument("environment")
    parser.add_argument("--yes", action="store_true", help="without asking before each server")
    asked = parser.parse_args()
    guided(lambda: roll(asked.environment, unattended=asked.yes))
