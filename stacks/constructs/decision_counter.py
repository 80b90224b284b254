"""The function that counts new decisions, and its subscription to the table's stream."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.agent_function import AgentFunction
from stacks.constructs.permissions import key_statement
from stacks.storage_stack import StorageStack

_BATCH_SIZE = 1_000
_WINDOW = cdk.Duration.minutes(1)
_STREAM_ACTIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")


class DecisionCounter(AgentFunction):
    """The function `counter`, which Lambda calls with the new items of the table of decisions.

    Lambda reads the stream at no charge, and drops what the filter does not match without calling the function:
    outcomes, expiries, and links between decisions, which have no id. A batch that fails is sent again until the
    stream has lost it, after a day.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(
            scope,
            construct_id,
            config=config,
            name="counter",
            description="Counts the decisions that are new in the table",
            environment={},
            memory_mb=128,
            timeout_seconds=60,
            traced=False,
        )
        self.add_to_role_policy(
            iam.PolicyStatement(
                actions=[f"dynamodb:{action}" for action in _STREAM_ACTIONS], resources=[storage.decisions_stream_arn]
            )
        )
        if storage.key is not None:
            self.add_to_role_policy(key_statement(storage.key, self.stack, service="dynamodb", writes=False))
        mapping = lambda_.EventSourceMapping(
            self,
            "Stream",
            target=self,
            event_source_arn=storage.decisions_stream_arn,
            starting_position=lambda_.StartingPosition.LATEST,
            batch_size=_BATCH_SIZE,
            max_batching_window=_WINDOW,
            bisect_batch_on_error=True,
            filters=[
                lambda_.FilterCriteria.filter(
                    {
                        "eventName": lambda_.FilterRule.is_equal("INSERT"),
                        "dynamodb": {"NewImage": {"decision_id": {"S": lambda_.FilterRule.exists()}}},
                    }
                )
            ],
        )
        mapping.node.add_dependency(self.execution_role)  # Lambda reads the stream once to check the permissions
        acknowledge(
            mapping,
            "Serverless-LambdaEventSourceMappingDestination",
            "A record that is lost after a day of failures is one decision that a metric does not count; the decision "
            "itself is in the table.",
        )
