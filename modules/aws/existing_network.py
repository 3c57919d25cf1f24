"""A VPC that is there already: looked up, and held against what the settings say of it."""

from collections.abc import Mapping

from cdktf import Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from constructs import Construct

from settings.network import NetworkSettings


def existing_vpc(scope: Construct, *, settings: NetworkSettings) -> DataAwsVpc:
    """The VPC. A plan fails where it lacks the range that the settings name, or does not resolve names."""
    assert settings.existing is not None, "settings of a VPC that is there already"
    return DataAwsVpc(
        scope,
        "vpc",
        id=settings.existing.id,
        lifecycle=_holds(
            (
                f'contains(self.cidr_block_associations[*].cidr_block, "{settings.cidr}")',
                f"network.cidr must be a range of {settings.existing.id}: the settings say {settings.cidr}, and it has "
                '${join(", ", self.cidr_block_associations[*].cidr_block)}.',
            ),
            (
                "self.enable_dns_support && self.enable_dns_hostnames",
                f"{settings.existing.id} must have DNS resolution and DNS host names on: nodes are known by their private names. "
                "Its owner turns both on (aws ec2 modify-vpc-attribute).",
            ),
        ),
    )


def existing_subnets(
    scope: Construct, *, kind: str, settings: NetworkSettings, region: str
) -> Mapping[str, DataAwsSubnet]:
    """Subnets of one kind by zone. A plan fails where one is in another VPC or zone, or has another range.

    :param kind: ``public`` or ``private``.
    """
    assert settings.existing is not None, "settings of a VPC that is there already"
    ids = {letter: getattr(subnets, kind) for letter, subnets in settings.existing.subnets.items()}
    return {
        letter: _subnet(scope, kind, letter, id_, settings, f"{region}{letter}")
        for letter, id_ in ids.items()
        if id_ is not None
    }


def _subnet(scope: Construct, kind: str, letter: str, id_: str, settings: NetworkSettings, zone: str) -> DataAwsSubnet:
    assert settings.existing is not None, "settings of a VPC that is there already"
    ids, ranges = f"network.existing.subnets.{letter}.{kind}", f"network.availability_zones.{letter}.{kind}"
    cidr = getattr(settings.availability_zones[letter], kind)
    return DataAwsSubnet(
        scope,
        f"{kind}_{letter}",
        id=id_,
        lifecycle=_holds(
            (
                f'self.vpc_id == "{settings.existing.id}"',
                f"{ids} = {id_} must be a subnet of {settings.existing.id}; it is one of ${{self.vpc_id}}.",
            ),
            (
                f'self.availability_zone == "{zone}"',
                f"{ids} = {id_} must be in {zone}; it is in ${{self.availability_zone}}.",
            ),
            (
                f'self.cidr_block == "{cidr}"',
                f"{ranges} = {cidr} must be the range of {id_}, which is ${{self.cidr_block}}: write that.",
            ),
        ),
    )


def _holds(*conditions: tuple[str, str]) -> TerraformResourceLifecycle:
    return TerraformResourceLifecycle(
        postcondition=[Postcondition(condition=f"${{{each}}}", error_message=text) for each, text in conditions]
    )
