"""A limit on the environment's cost, with an e-mail before it is reached."""

from typing import Annotated

from pydantic import Field

from settings.base import Section


class BudgetSettings(Section):
    """A budget of AWS Budgets over what carries the environment's tags, which writes to the project's e-mail."""

    enabled: bool = False
    """Watch the environment's cost. Needs the tag ``Environment`` to be activated as a cost allocation tag (AWS
    Billing)."""

    monthly_usd: Annotated[int, Field(ge=1, le=1_000_000)] = 300
    """USD that a month may cost."""

    alert_percent: Annotated[list[Annotated[int, Field(ge=1, le=1000)]], Field(min_length=1, max_length=4)] = [80, 100]
    """Percent of it at which an e-mail is sent; another one when the forecast is above 100."""
