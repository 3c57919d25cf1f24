"""An environment of the emulated account whose settings are changed while it runs, and what is left of one that was destroyed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import main
from operations.deployment.plan_summary import refuse_losses, summary
from operations.devtools.emulator.known_gaps import Clients
from operations.devtools.emulator.stack import Stack
from settings import Settings, load
from tests.changes import one_environment

PLAN = "plan.tfplan"


@dataclass(frozen=True)
class Running:
    """The repository's dev, which is changed."""

    folder: Path
    """Where its settings are written (``environments/``) and synthesised (``cdktf.out/``)."""

    environment: dict[str, str]
    beside: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Documents of further environments by name, which stay as they are."""

    @property
    def stack(self) -> Stack:
        """Its infrastructure."""
        return self.other("dev")

    def other(self, name: str) -> Stack:
        """The infrastructure of an environment beside it."""
        return Stack(self.folder / f"cdktf.out/stacks/vet-{name}", self.environment)

    def synthesise(self, changes: Mapping[str, Any]) -> Settings:
        """Write settings with these changes of dev, and the stacks; returns the settings."""
        files = one_environment(self.folder, changes)
        for name, document in self.beside.items():
            (files / f"{name}.yaml").write_text(yaml.safe_dump(dict(document)))
        settings = load(files)
        main.build_app(settings, outdir=str(self.folder / "cdktf.out")).synth()
        return settings

    def deploy(self, changes: Mapping[str, Any]) -> list[str]:
        """As ``make deploy`` does: plan, refuse what takes away too much, apply that very plan. Returns what was said of it.

        Raises:
            Failure: the plan is refused.
        """
        self.synthesise(changes)
        stack = self.stack
        if not (stack.folder / ".terraform").exists():
            stack.run("init", "-input=false", "-reconfigure")
        # What was there before was refreshed by the plan that found nothing to change after the last step.
        stack.run("plan", "-input=false", "-refresh=false", f"-out={PLAN}")
        plan = json.loads(stack.run("show", "-json", PLAN).stdout)
        refuse_losses(plan)
        stack.run("apply", "-input=false", PLAN)
        return summary(stack.name, plan)


def left_of(environment: str, aws: Clients) -> list[str]:
    """What still exists of an environment: everything carries its tag."""
    tag = {"Name": "tag:Environment", "Values": [environment]}
    tagged: list[dict[str, Any]] = aws("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "Environment", "Values": [environment]}]
    )["ResourceTagMappingList"]
    ec2 = aws("ec2")
    running = [
        instance["InstanceId"]
        for reservation in ec2.describe_instances(Filters=[tag])["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] != "terminated"
    ]
    vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=[tag])["Vpcs"]]
    volumes = [volume["VolumeId"] for volume in ec2.describe_volumes(Filters=[tag])["Volumes"]]
    arns = [each["ResourceARN"] for each in tagged if not _ending(each["ResourceARN"], aws)]
    return [*running, *vpcs, *volumes, *arns]


def _ending(arn: str, aws: Clients) -> bool:
    """What AWS goes on listing for a while: KMS keys in their waiting period, terminated instances, deleted NAT gateways."""
    name = arn.rpartition("/")[2]
    if ":kms:" in arn:
        return bool(aws("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion")
    if ":natgateway/" in arn:
        (gateway,) = aws("ec2").describe_nat_gateways(NatGatewayIds=[name])["NatGateways"]
        return bool(gateway["State"] == "deleted")
    return ":instance/" in arn
