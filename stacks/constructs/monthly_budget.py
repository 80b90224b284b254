"""A monthly budget of a deployment's costs."""

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.alarms import runbook_path


class MonthlyBudget(Construct):
    """Notifies a topic when 80% of the budget are spent, and when the month is forecast to exceed it.

    Costs are counted by the tag `deployment`, which has to be activated once as a cost allocation tag in the account's
    billing settings.
    """

    def __init__(self, scope: Construct, construct_id: str, *, prefix: str, usd: float, topic: sns.Topic) -> None:
        super().__init__(scope, construct_id)
        topic.grant_publish(
            iam.ServicePrincipal(
                "budgets.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": topic.stack.account},
                    "ArnLike": {"aws:SourceArn": topic.stack.format_arn(service="budgets", region="", resource="*")},
                },
            )
        )
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"{prefix}-monthly",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:deployment${prefix}"]},
            ),
            notifications_with_subscribers=[
                _notification(topic, "ACTUAL", 80),
                _notification(topic, "FORECASTED", 100),
            ],
            # A budget has no description, so a tag names its runbook.
            resource_tags=[budgets.CfnBudget.ResourceTagProperty(key="runbook", value=runbook_path("budget-exceeded"))],
        )


def _notification(topic: sns.Topic, kind: str, percent: float) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            notification_type=kind,
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)],
    )
