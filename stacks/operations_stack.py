"""Operations: the count of decisions, alarms that notify a topic, a budget and a dashboard where the settings ask."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.alarms import alarm_definitions
from stacks.base_stack import BaseStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.alarms import Alarms
from stacks.constructs.decision_counter import DecisionCounter
from stacks.constructs.monthly_budget import MonthlyBudget
from stacks.dashboard import add_dashboard
from stacks.monitored import MonitoredStacks


class OperationsStack(BaseStack):
    """Alarms, and the budget and the dashboard that the settings ask for.

    Attributes:
        counter: the function that counts new decisions.
        topic: where every alarm is announced.
        alarms: the alarms.
    """

    def __init__(self, scope: Construct, *, config: DeployConfig, stacks: MonitoredStacks) -> None:
        description = "Agent Memory: dashboard and alarms"
        super().__init__(scope, "operations", config=config, description=description, after=stacks)
        self.counter = DecisionCounter(self, "Counter", config=config, storage=stacks.storage)
        self.topic = self._topic()
        definitions = alarm_definitions(config, stacks)
        self.alarms = Alarms(self, "Alarm", prefix=config.prefix, topic=self.topic, definitions=definitions)
        if not config.is_local:  # the local cloud supports neither composite alarms nor budgets
            if config.summary_alarm:
                self.alarms.add_summary("memory-degraded", "At least one critical alarm is active.")
            if config.monthly_budget_usd is not None:
                MonthlyBudget(self, "Budget", prefix=config.prefix, usd=config.monthly_budget_usd, topic=self.topic)
        if config.dashboard:
            add_dashboard(self, config=config, alarms=self.alarms, stacks=stacks)
        cdk.CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn, description="Topic of all alarms")

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(
            self, "Alarms", topic_name=f"{self.config.prefix}-alarms", enforce_ssl=not self.config.is_local
        )
        # A policy of the topic's own replaces the default one, which lets the account's alarms publish.
        topic.grant_publish(
            iam.ServicePrincipal(
                "cloudwatch.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": self.account},
                    "ArnLike": {
                        "aws:SourceArn": self.format_arn(
                            service="cloudwatch",
                            resource="alarm",
                            resource_name=f"{self.config.prefix}-*",
                            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                        )
                    },
                },
            )
        )
        if self.config.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self.config.alarm_email))
            acknowledge(
                topic,
                "Serverless-SNSRedrivePolicy",
                "An alarm whose e-mail bounced is still active in CloudWatch and on the dashboard.",
            )
        return topic
