"""The image that runs: looked up in the environment's repository, so that a missing one stops the plan."""

from cdktf_cdktf_provider_aws.data_aws_ecr_image import DataAwsEcrImage
from constructs import Construct

NOT_CHOSEN = "none-chosen"
"""Stands for the image where no setting names one; ``make push`` names images by commits, never so."""


class ApplicationImage(Construct):
    """A tag or digest of the repository, as the digest that it stands for.

    The provider's message for a missing image names nothing but the data source, so the data source's name tells what
    to do.

    :param repository: name of the ECR repository.
    :param image: tag or digest; None if the environment names none yet.
    :param environment: name of the environment.
    """

    def __init__(self, scope: Construct, id_: str, *, repository: str, image: str | None, environment: str) -> None:
        super().__init__(scope, id_)
        self.chosen = image or NOT_CHOSEN
        by_digest = self.chosen.startswith("sha256:")
        data = DataAwsEcrImage(
            self,
            "Resource",
            repository_name=repository,
            image_digest=self.chosen if by_digest else None,
            image_tag=None if by_digest else self.chosen,
        )
        data.override_logical_id(f"pushed_by__make_push_ENV_{environment}")
        self.reference = data.image_uri
