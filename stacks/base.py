"""What every stack has: the AWS provider, state in S3, tags, and the Terraform it needs."""

from collections.abc import Mapping

from cdktf import S3Backend, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct

from settings.engines import oldest
from settings.names import STATE_STACK, state_key
from settings.project import Project
from stacks.state_encryption import state_encryption


class PlatformStack(TerraformStack):
    """A stack in one region of the project's account.

    Credentials, profile and endpoints come from the AWS SDK's own environment variables; nothing here overrides them.

    :param name: stack name; its state is ``<name>/terraform.tfstate``.
    :param tags: put on everything that the AWS provider makes.
    """

    def __init__(self, scope: Construct, name: str, *, project: Project, region: str, tags: Mapping[str, str]) -> None:
        super().__init__(scope, name)
        major, minor = oldest(project.engine)
        self.add_override("terraform.required_version", f">= {major}.{minor}.0")
        self._state(name, project)
        self._account_id, self._tags = project.account_id, dict(tags)
        self._provider("aws", region)

    def replica_provider(self, region: str) -> AwsProvider:
        """The AWS provider for a second region."""
        return self._provider("elsewhere", region, alias="elsewhere")

    def _provider(self, id_: str, region: str, *, alias: str | None = None) -> AwsProvider:
        return AwsProvider(
            self,
            id_,
            alias=alias,
            region=region,
            allowed_account_ids=[self._account_id],
            default_tags=[AwsProviderDefaultTags(tags=self._tags)],
        )

    def output(self, name: str, value: object, description: str) -> None:
        """Publish a value for people and for the stacks that build on this one. Secrets are never published."""
        TerraformOutput(self, name, value=value, description=description, sensitive=False, static_id=True)

    def _state(self, name: str, project: Project) -> None:
        """State in the project's bucket. ``encrypt`` is left out on purpose: it would ask for S3's own key instead of the bucket's."""
        backend = S3Backend(
            self,
            bucket=project.state_bucket,
            key=state_key(name),
            region=project.region,
            allowed_account_ids=[project.account_id],
        )
        backend.add_override("use_lockfile", True)
        if project.state_encryption and name != STATE_STACK:  # which makes the key
            self.add_override("terraform.encryption", state_encryption(project))
