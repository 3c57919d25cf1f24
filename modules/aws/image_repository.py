"""The registry of the application's images."""

import json

from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktf_cdktf_provider_aws.ecr_repository import EcrRepository, EcrRepositoryEncryptionConfiguration
from constructs import Construct

from modules.aws.encryption_key import EncryptionKey
from modules.aws.lifecycle import lifecycle

KEPT_IMAGES = 50
"""Releases that can be rolled back to."""


class ImageRepository(Construct):
    """An ECR repository whose tags never change their meaning, scanned at every push."""

    def __init__(self, scope: Construct, id_: str, *, name: str, key: EncryptionKey, protect: bool) -> None:
        super().__init__(scope, id_)
        self.repository = EcrRepository(
            self,
            "Resource",
            name=name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configuration=[EcrRepositoryEncryptionConfiguration(encryption_type="KMS", kms_key=key.arn)],
            force_delete=not protect,
            lifecycle=lifecycle(protect=protect),
        )
        keep = {
            "rulePriority": 1,
            "description": f"keep the last {KEPT_IMAGES} images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT_IMAGES},
            "action": {"type": "expire"},
        }
        EcrLifecyclePolicy(self, "lifecycle", repository=self.repository.name, policy=json.dumps({"rules": [keep]}))
