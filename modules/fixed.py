"""What cannot be changed after the first deploy: remembered in Terraform's own state, and compared at every plan."""

import json
from collections.abc import Mapping

from cdktf import Postcondition, TerraformProviderGeneratorMetadata, TerraformResource, TerraformResourceLifecycle
from constructs import Construct

from settings.former_keys import first_name

REMEDY = (
    "Put the former value back, or make a new environment with the new value beside this one and move over "
    "(docs/runbooks/changing-settings.md, what is fixed)."
)


class Fixed(Construct):
    """Values that a plan refuses to change, with every command that makes one: ``make plan``, ``make deploy`` and ``cdktf deploy`` alike.

    ``terraform_data``, which Terraform brings itself, keeps what was there at the first deploy; a postcondition compares it with
    what the settings say now. An environment made before it was remembered begins with what it has.

    :param values: values by the key of the setting that decides them, such as ``cluster.pod_cidr``. The state has them under its first name.
    :param why: what a change would do, for the message.
    :param remedy: what to do instead.
    :param formerly: what environments have that were deployed before a key was remembered, by the key; left out, what the settings say now.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        values: Mapping[str, str],
        why: str,
        remedy: str = REMEDY,
        formerly: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        # CDKTF's own class for terraform_data runs `terraform version` at synth, once for each of them, and fails where there is none.
        resource = TerraformResource(
            self,
            "Resource",
            terraform_resource_type="terraform_data",
            terraform_generator_metadata=TerraformProviderGeneratorMetadata(provider_name="terraform"),
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["input"],
                postcondition=[
                    _unchanged(key, value, (formerly or {}).get(key, value), f"{why} {remedy}")
                    for key, value in values.items()
                ],
            ),
        )
        resource.add_override("input", {_in_state(key): value for key, value in values.items()})


def _in_state(key: str) -> str:
    """The name of a value in the state: that of its setting when it was first deployed, and what tells it from others of the same setting."""
    setting, *part = key.split(" ", 1)
    return " ".join([first_name(setting), *part])


def _unchanged(key: str, value: str, formerly: str, advice: str) -> Postcondition:
    deployed, wanted = f'try(self.input["{_in_state(key)}"], {json.dumps(formerly)})', json.dumps(value)
    return Postcondition(
        # A key that was not remembered at the first deploy has nothing to differ from.
        condition=f"${{{deployed} == {wanted}}}",
        error_message=(
            f"{key} is fixed after the first deploy: ${{{deployed}}} is deployed, and the settings say {value}. "
            f"{advice}"
        ),
    )
