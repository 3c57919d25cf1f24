"""A budget that writes before the invoice does."""

from cdktf_cdktf_provider_aws.budgets_budget import BudgetsBudget, BudgetsBudgetCostFilter, BudgetsBudgetNotification
from constructs import Construct

from settings.budget import BudgetSettings
from settings.names import Names


class Budget(Construct):
    """Cost of everything with the environment's tag, with alerts by e-mail at parts of it and at its forecast."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, settings: BudgetSettings) -> None:
        super().__init__(scope, id_)
        self._email = names.project.email
        alerts = [self._alert("ACTUAL", percent) for percent in settings.alert_percent]
        BudgetsBudget(
            self,
            "Resource",
            name=names.base,
            budget_type="COST",
            limit_amount=f"{settings.monthly_usd}.0",  # as AWS gives it back
            limit_unit="USD",
            time_unit="MONTHLY",
            cost_filter=[
                BudgetsBudgetCostFilter(name="TagKeyValue", values=[f"user:Environment${names.environment.name}"])
            ],
            notification=[*alerts, self._alert("FORECASTED", 100)],
        )

    def _alert(self, kind: str, percent: int) -> BudgetsBudgetNotification:
        return BudgetsBudgetNotification(
            notification_type=kind,
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
            subscriber_email_addresses=[self._email],
        )
