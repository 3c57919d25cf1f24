"""Where Terraform keeps the state of every stack."""

from constructs import Construct

from modules.aws.bucket import Bucket
from modules.aws.encryption_key import EncryptionKey
from settings.names import state_encryption_key
from settings.project import Project

STATE_VERSIONS_DAYS = 365
"""Days in which an overwritten or deleted state can be brought back."""


class StateStorage(Construct):
    """The state bucket and its key. Both refuse destruction: with them every environment would lose its memory."""

    def __init__(self, scope: Construct, id_: str, *, project: Project) -> None:
        super().__init__(scope, id_)
        self.key = EncryptionKey(
            self,
            "key",
            name=state_encryption_key(project),
            purpose="Terraform state",
            account_id=project.account_id,
            protect=True,
        )
        self.bucket = Bucket(
            self,
            "bucket",
            name=project.state_bucket,
            key=self.key,
            protect=True,
            noncurrent_days=STATE_VERSIONS_DAYS,
        )
