"""The optional jump host in a public subnet."""

from cdktf_cdktf_provider_aws.instance import Instance
from constructs import Construct

from modules.aws.instance_role import InstanceRole
from modules.aws.security_groups import SecurityGroup
from modules.aws.servers import IMDS, NodeContext


class JumpHost(Construct):
    """A small instance from which the nodes are reached by SSH, for teams that do not use Session Manager."""

    def __init__(self, scope: Construct, id_: str, *, context: NodeContext, security_group: SecurityGroup) -> None:
        super().__init__(scope, id_)
        name = context.names.resource("jump")
        role = InstanceRole(
            self, "role", names=context.names, purpose="jump", description=f"Jump host of {context.names.base}"
        )
        first_zone = next(iter(context.network.public.values()))
        self.instance = Instance(
            self,
            "Resource",
            ami=context.image_id,
            instance_type=context.environment.access.ssh.jump_host.instance_type,
            subnet_id=first_zone.id,
            vpc_security_group_ids=[security_group.id],
            key_name=context.key_name,
            iam_instance_profile=role.profile.name,
            metadata_options=IMDS,
            monitoring=True,
            ebs_optimized=True,
            root_block_device={
                "volume_type": "gp3",
                "encrypted": True,
                "kms_key_id": context.volume_key.arn,
                "tags": {"Name": name, **context.names.tags},
            },
            tags={"Name": name, "vet:role": "jump"},
            lifecycle={"ignore_changes": ["ami"]},
            depends_on=role.rights,
        )
