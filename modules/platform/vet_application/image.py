"""The image that runs: looked up in the environment's repository, so that a missing one stops the plan."""

from cdktf import Postcondition
from cdktf_cdktf_provider_aws.data_aws_ecr_images import DataAwsEcrImages
from constructs import Construct

NOT_CHOSEN = "(none)"
"""Stands for an image that no setting names; no tag can look like this (OCI distribution specification)."""


class ApplicationImage(Construct):
    """A tag or digest of the repository, as the digest that it stands for.

    The list of images is read, not the one image: a missing one is then this project's message and not the provider's.

    :param repository: name of the ECR repository.
    :param url: address of the repository, as images are pulled from it.
    :param image: tag or digest; None if the environment names none yet.
    :param environment: name of the environment, for the message.
    """

    def __init__(
        self, scope: Construct, id_: str, *, repository: str, url: str, image: str | None, environment: str
    ) -> None:
        super().__init__(scope, id_)
        self.chosen = image or NOT_CHOSEN
        key = "image_digest" if self.chosen.startswith("sha256:") else "image_tag"
        images = DataAwsEcrImages(
            self,
            "images",
            repository_name=repository,
            lifecycle={
                "postcondition": [
                    Postcondition(
                        condition=f'${{contains(self.image_ids[*].{key}, "{self.chosen}")}}',
                        error_message=_missing(repository, image, environment),
                    )
                ]
            },
        )
        found = f"data.aws_ecr_images.{images.friendly_unique_id}.image_ids"
        digest = f'distinct([for image in {found} : image.image_digest if image.{key} == "{self.chosen}"])'
        self.reference = f"{url}@${{one({digest})}}"


def _missing(repository: str, image: str | None, environment: str) -> str:
    what = f"{repository} has no image {image}" if image else f"environments/{environment}.yaml names no image"
    return (
        f"{what}. Build and push one: make push ENV={environment}. It prints what to write as application.image"
        f" into environments/{environment}.yaml."
    )
