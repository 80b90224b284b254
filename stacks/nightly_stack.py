"""The nightly job: a schedule that starts a state machine, and the five functions that it runs."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from agent_memory.core.keys import DIGESTS
from agent_memory.core.retention import MISSED_STARTS_DAYS
from agent_memory.storage import schema
from stacks.base_stack import BaseStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge, quoted
from stacks.constructs.agent_function import AgentFunction
from stacks.constructs.cache_access import allow_cache, cache_environment, cache_network
from stacks.constructs.log_groups import vended_log_group_for
from stacks.constructs.permissions import allow_anchors, allow_on_objects, allow_on_table, key_statement
from stacks.constructs.shared_values import keep_exports
from stacks.nightly_flow import EACH_AGENT, AgentList, Step, nightly_flow
from stacks.storage_stack import StorageStack

# The index, which is queried, holds keys only; memories are read in batches.
_READ_MEMORIES = ("BatchGetItem", "Query")
_ONE_CPU_MB = 1769  # from here on Lambda provides one full vCPU
_LARGE_DAY_MB = 3008  # for a day of hundreds of thousands of decisions; new accounts may not have more


class NightlyStack(BaseStack):
    """The functions of the nightly job, the state machine that runs them, and the schedule that starts it.

    Attributes:
        functions: the functions, in the order in which they run.
        machine: the state machine.
        missed_starts: dead-letter queue of the schedule.
    """

    def __init__(
        self, scope: Construct, *, config: DeployConfig, storage: StorageStack, cache: CacheStack | None
    ) -> None:
        after = [storage, *([cache] if cache else [])]
        super().__init__(scope, "nightly", config=config, description="Agent Memory: nightly job", after=after)
        self._storage = storage
        self._cache = cache
        self._machine_name = f"{config.prefix}-nightly"
        self._lists_arn = f"{storage.archive_arn}/nights/*"
        agents = self._agents()
        steps = (
            self._consolidation(),
            self._pruning(),
            self._archival(),
            self._analytics(),
        )
        self.functions: tuple[AgentFunction, ...] = (agents, *steps)
        self.machine = self._machine(agents, steps)
        self.missed_starts = self._schedule()
        keep_exports(self, self.machine.state_machine_arn, self.missed_starts.queue_name)
        keep_exports(self, *(function.function_name for function in self.functions))
        cdk.CfnOutput(
            self,
            "NightlyStateMachineArn",
            value=self.machine.state_machine_arn,
            description="State machine of the nightly job",
        )

    # --- functions -----------------------------------------------------------------------------

    def _agents(self) -> AgentFunction:
        function = self._function(
            "agents", "Lists the agents that the nightly job processes", memory_mb=256, timeout_seconds=60
        )
        allow_on_table(function, self._storage.states, ["Scan"])
        allow_on_objects(function, self._storage, ["GetObject", "PutObject"], prefix="nights/")
        # By name: the state machine refers to the function.
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=self._machine_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        function.add_environment("AGENT_MEMORY_NIGHTLY_EXECUTIONS", executions)
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[f"{executions}:*"])
        )
        acknowledge(
            function.execution_role,
            f"AwsSolutions-IAM5[Resource::{quoted(self, executions)}:*]",
            "The executions of the one state machine have names that are created at run time.",
        )
        return function

    def _consolidation(self) -> AgentFunction:
        function = self._function(
            "consolidation",
            "Learns patterns from decisions",
            memory_mb=_LARGE_DAY_MB,
            environment={"AGENT_MEMORY_DECISIONS_PER_PART": str(self.config.decisions_per_part)},
        )
        storage = self._storage
        allow_on_table(function, storage.decisions, ["BatchGetItem", "GetItem", "Query"])
        allow_on_table(
            function,
            storage.memories,
            [*_READ_MEMORIES, "GetItem", "PutItem", "UpdateItem"],
            indexes=[schema.BY_CONFIDENCE],
        )
        allow_on_table(function, storage.states, ["DeleteItem", "GetItem", "PutItem", "Query"])
        allow_on_objects(function, storage, ["DeleteObject", "GetObject", "PutObject"], prefix="evidence/")
        allow_on_objects(function, storage, ["GetObject"], prefix="large/")
        return function

    def _pruning(self) -> AgentFunction:
        function = self._function(
            "pruning", "Counts reads of memories and prunes outdated ones", memory_mb=512, cached=True
        )
        storage = self._storage
        allow_on_table(
            function,
            storage.memories,
            [*_READ_MEMORIES, "PutItem", "UpdateItem"],
        )
        allow_on_objects(function, storage, ["PutObject"], prefix="pruned/")
        return function

    def _archival(self) -> AgentFunction:
        anchors = self.config.anchor_bucket
        function = self._function(
            "archival",
            "Archives decisions and verifies the archive",
            memory_mb=_LARGE_DAY_MB,
            environment={"AGENT_MEMORY_ANCHOR_BUCKET": anchors} if anchors else {},
        )
        storage = self._storage
        allow_on_table(function, storage.decisions, ["PartiQLUpdate", "Query"])
        allow_on_table(function, storage.states, ["DeleteItem", "GetItem", "PutItem", "Query"])
        allow_on_objects(function, storage, ["GetObject", "PutObject"], prefix="decisions/")
        allow_on_objects(function, storage, ["GetObject"], prefix="large/")
        allow_on_objects(function, storage, ["DeleteObject", "GetObject", "PutObject"], prefix=DIGESTS)
        if anchors:
            allow_anchors(function, anchors)
        return function

    def _analytics(self) -> AgentFunction:
        function = self._function("analytics", "Writes an agent's daily report", memory_mb=_ONE_CPU_MB)
        storage = self._storage
        allow_on_table(function, storage.memories, _READ_MEMORIES)
        allow_on_table(function, storage.states, ["GetItem"])
        allow_on_objects(function, storage, ["GetObject"], prefix="evidence/")
        allow_on_objects(function, storage, ["GetObject"], prefix="nights/")
        allow_on_objects(function, storage, ["PutObject"], prefix="reports/")
        return function

    def _function(
        self,
        name: str,
        description: str,
        *,
        memory_mb: int,
        timeout_seconds: int = 900,
        cached: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> AgentFunction:
        environment = {"AGENT_MEMORY_ARCHIVE_BUCKET": self._storage.archive_name, **(environment or {})}
        function = AgentFunction(
            self,
            name.capitalize(),
            config=self.config,
            name=name,
            description=description,
            environment={**environment, **(cache_environment(self.config, self._cache) if cached else {})},
            memory_mb=memory_mb,
            timeout_seconds=timeout_seconds,
            network=cache_network(self.config, self._cache) if cached else None,
            reserved_concurrency=self.config.nightly_concurrency,
        )
        if cached:
            allow_cache(function, self._cache)
        return function

    def _archive(self) -> s3.IBucket:
        return s3.Bucket.from_bucket_name(self, "Archive", self._storage.archive_name)

    # --- state machine and schedule ------------------------------------------------------------

    def _machine(self, agents: AgentFunction, steps: Sequence[AgentFunction]) -> sfn.StateMachine:
        names = ("consolidation", "pruning", "archival", "analytics")
        flow = nightly_flow(
            self,
            agents=agents,
            steps=[Step(name, function) for name, function in zip(names, steps, strict=True)],
            across_agents=steps[-1],
            agent_list=AgentList(bucket=self._archive(), lists_arn=self._lists_arn),
            concurrency=self.config.map_concurrency,
        )
        log_group = vended_log_group_for(self, "MachineLogs", f"states/{self._machine_name}", self.config)
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=self._machine_name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            comment="Agent Memory: nightly job",
            definition_body=sfn.DefinitionBody.from_chainable(flow),
            timeout=cdk.Duration.hours(6),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        )
        if self._storage.key is not None:
            reading = key_statement(self._storage.key, self, service="s3", writes=False)
            machine.add_to_role_policy(reading)
        self._acknowledge_machine(machine, [agents, *steps])
        return machine

    def _acknowledge_machine(self, machine: sfn.StateMachine, functions: Sequence[AgentFunction]) -> None:
        acknowledge(
            machine,
            "AwsSolutions-IAM5[Resource::*]",
            "X-Ray's and CloudWatch's log delivery actions do not support resources.",
        )
        acknowledge(
            machine,
            f"AwsSolutions-IAM5[Resource::{quoted(self, self._lists_arn)}]",
            "The lists below this prefix are created at run time; nothing outside the prefix can be read.",
        )
        name = cdk.Fn.select(6, cdk.Fn.split(":", machine.state_machine_arn))
        for executions in (f"{name}:*", f"{name}/{EACH_AGENT}:*"):
            arn = f"arn:{self.partition}:states:{self.region}:{self.account}:execution:{executions}"
            acknowledge(
                machine,
                f"AwsSolutions-IAM5[Resource::{quoted(self, arn)}]",
                "A distributed map starts and stops executions of its own machine, with names created at run time.",
            )
        for function in functions:
            logical_id = self.get_logical_id(cast("lambda_.CfnFunction", function.node.default_child))
            acknowledge(
                machine,
                f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>:*]",
                "The wildcard covers the versions of this one function.",
            )

    def _schedule(self) -> sqs.Queue:
        missed_starts = sqs.Queue(
            self,
            "MissedStarts",
            queue_name=f"{self.config.prefix}-nightly-missed-starts",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not self.config.is_local,
            retention_period=cdk.Duration.days(MISSED_STARTS_DAYS),
        )
        for rule in ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"):
            acknowledge(missed_starts, rule, "This queue is the dead-letter queue of the schedule itself.")
        hour, minute = self.config.nightly_hour_and_minute
        scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=f"{self.config.prefix}-nightly",
            description="Starts the nightly job of Agent Memory",
            schedule=scheduler.ScheduleExpression.cron(
                hour=hour, minute=minute, time_zone=cdk.TimeZone.of(self.config.time_zone)
            ),
            time_window=scheduler.TimeWindow.off(),
            target=targets.StepFunctionsStartExecution(
                self.machine,
                input=scheduler.ScheduleTargetInput.from_object(
                    {"scheduled_time": scheduler.ContextAttribute.scheduled_time}
                ),
                dead_letter_queue=missed_starts,
                retry_attempts=10,
                max_event_age=cdk.Duration.hours(2),
            ),
        )
        return missed_starts
