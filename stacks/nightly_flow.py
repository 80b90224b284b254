"""The steps of the nightly job: list the agents, consolidate, prune, archive and report for each, then compare them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

EACH_AGENT = "EachAgent"
"""Name of the map state, and part of the names of the agents' executions."""

EACH_PART = "EachPart"
"""Name of the map state of an agent whose decisions are read in parts."""

_CONCURRENT_PARTS = 10
_RETRIES = 2
# What Lambda refuses while there are too many executions, of this function or of the account. With a mean of a minute
# each, these retries wait for longer than the longest step takes, which is 15 minutes.
_THROTTLED = ("Lambda.TooManyRequestsException", "Lambda.EC2ThrottledException")
_THROTTLED_RETRIES = 30
_CAUSE_LENGTH = 300
_FAILURES_REPORTED = 20
_DONE = "done"
_RESULTS = "$states.input.results"


@dataclass(frozen=True, slots=True)
class Step:
    """One step for each agent; a failure is reported with its `name`."""

    name: str
    function: lambda_.IFunction


class AgentList(sfn.S3JsonItemReader):
    """The list of a run's agents, read from the archive's bucket; CDK's own reader could read the entire bucket.

    Args:
        bucket: the archive's bucket.
        lists_arn: ARN of the objects that may be read.
    """

    def __init__(self, *, bucket: s3.IBucket, lists_arn: str) -> None:
        super().__init__(bucket=bucket, key=sfn.JsonPath.string_at("$.list"))
        self._lists_arn = lists_arn

    def provide_policy_statements(self) -> list[iam.PolicyStatement]:
        """The permissions with which the state machine reads the list."""
        return [iam.PolicyStatement(actions=["s3:GetObject"], resources=[self._lists_arn])]


def nightly_flow(
    scope: Construct,
    *,
    agents: lambda_.IFunction,
    agent_list: AgentList,
    steps: Sequence[Step],
    across_agents: lambda_.IFunction,
    concurrency: int,
) -> sfn.IChainable:
    """Define the state machine.

    The function `agents` gets the execution's input, with the execution's name as `run`. It writes the list of agents,
    `[{"agent_id", "date"}]`, to the archive's bucket and returns `{"date", "agents": their number, "list": key}`. A
    distributed map reads that list, whatever its length, and starts an execution for each agent, in which every step
    gets `{"agent_id", "date"}`. The first step may have the decisions read in parts, see `_learn`. A step whose retries
    fail ends that agent's execution; the other agents are processed.
    The state machine fails if any agent failed. Else the function `across_agents` looks at all of them together: it
    gets `{"date", "agents_of": the key of their list}`.

    All states are in JSONata but the map: the local cloud supports a distributed map in JSONPath only.
    """
    states = Construct(scope, "Flow")  # a scope of its own, since states have the names of functions
    list_agents = _invoke(
        states,
        "ListAgents",
        agents,
        sfn.TaskInput.from_text("{% $merge([$states.input, {'run': $states.context.Execution.Name}]) %}"),
        outputs="{% $states.result.Payload %}",
    )
    each_agent = sfn.DistributedMap.json_path(
        states,
        EACH_AGENT,
        label=EACH_AGENT,
        item_reader=agent_list,
        map_execution_type=sfn.StateMachineType.STANDARD,  # an agent's steps may take longer than five minutes
        max_concurrency=concurrency,
        tolerated_failure_percentage=100,  # the last state decides; no agent is skipped because another one failed
        result_path="$.results",
    )
    each_agent.item_processor(_steps_of_an_agent(states, steps))
    done = sfn.Succeed.jsonata(
        states, "Done", outputs={"date": "{% $states.input.date %}", "agents": "{% $states.input.agents %}"}
    )
    no_agents = sfn.Condition.jsonata("{% $states.input.agents = 0 %}")
    all_agents = {"date": "{% $states.input.date %}", "agents_of": "{% $states.input.list %}"}
    crowding = _invoke(
        states, "Crowding", across_agents, sfn.TaskInput.from_object(all_agents), outputs="{% $states.input %}"
    )
    work = each_agent.next(_result(states, crowding.next(done)))
    return list_agents.next(sfn.Choice.jsonata(states, "AnyAgents").when(no_agents, done).otherwise(work))


def _steps_of_an_agent(scope: Construct, steps: Sequence[Step]) -> sfn.IChainable:
    """One agent's steps.

    The results of all agents are returned in one state of at most 256 KB, so each is a single word, or a failure. What
    the steps return is in the history of the agent's execution.
    """
    failed = sfn.Pass.jsonata(scope, "AgentFailed", comment="The failure is the result of this agent")
    learning, *others = steps
    states = [_step(scope, step, on_failure=failed) for step in others]
    chain = sfn.Chain.start(states[0])
    for state in (*states[1:], sfn.Pass.jsonata(scope, "AgentDone", outputs=f"{{% '{_DONE}' %}}")):
        chain = chain.next(state)
    return _learn(scope, learning, on_failure=failed, then=chain)


def _learn(scope: Construct, step: Step, *, on_failure: sfn.Pass, then: sfn.Chain) -> sfn.IChainable:
    """Learn from a day; if the function returns `parts` instead, read each of them, and then learn from all.

    The map is one within the agent's execution, which starts at once and needs no other permissions. A part whose
    retries fail ends the agent's execution, like a step, and nothing is learned until it is started again.
    """
    one_part = sfn.TaskInput.from_text("{% $states.input %}")
    read = _invoke(scope, "ReadPart", step.function, one_part, outputs="{% $states.result.Payload.decisions_read %}")
    each_part = sfn.Map.jsonata(
        scope,
        EACH_PART,
        items=sfn.ProvideItems.jsonata("{% $states.input.parts %}"),
        max_concurrency=_CONCURRENT_PARTS,
        outputs="{% $states.input %}",
    )
    each_part.item_processor(read)
    each_part.add_catch(on_failure, errors=[sfn.Errors.ALL], outputs=_failure(step))
    parts = {"parts": "{% $states.input.parts %}"}
    learn = _step(scope, step, on_failure=on_failure, state_id="LearnFromParts", more_payload=parts)
    first = _step(
        scope,
        step,
        on_failure=on_failure,
        outputs="{% $merge([$states.input, {'parts': $states.result.Payload.parts}]) %}",
    )
    has_parts = sfn.Condition.jsonata("{% $count($states.input.parts) > 0 %}")
    in_parts = sfn.Choice.jsonata(scope, "InParts").when(has_parts, each_part).otherwise(then)
    each_part.next(learn).next(then)
    return first.next(in_parts)


def _step(
    scope: Construct,
    step: Step,
    *,
    on_failure: sfn.Pass,
    state_id: str | None = None,
    more_payload: Mapping[str, str] | None = None,
    outputs: str = "{% $states.input %}",
) -> tasks.LambdaInvoke:
    agent_and_day = {"agent_id": "{% $states.input.agent_id %}", "date": "{% $states.input.date %}"}
    payload = sfn.TaskInput.from_object({**agent_and_day, **(more_payload or {})})
    state = _invoke(scope, state_id or step.name.capitalize(), step.function, payload, outputs=outputs)
    state.add_catch(on_failure, errors=[sfn.Errors.ALL], outputs=_failure(step))
    return state


def _failure(step: Step) -> str:
    """The result of an agent whose step has failed."""
    cause = f"$substring($states.errorOutput.Cause, 0, {_CAUSE_LENGTH})"
    error = f"{{'step': '{step.name}', 'error': $states.errorOutput.Error, 'cause': {cause}}}"
    return f"{{% {{'agent_id': $states.input.agent_id, 'error': {error}}} %}}"


def _invoke(
    scope: Construct, state_id: str, function: lambda_.IFunction, payload: sfn.TaskInput, *, outputs: str
) -> tasks.LambdaInvoke:
    """Invoke a function, which is idempotent; all failures are retried, since the local cloud has one name for them."""
    state = tasks.LambdaInvoke.jsonata(
        scope,
        state_id,
        lambda_function=function,
        payload=payload,
        outputs=outputs,
        retry_on_service_exceptions=False,
    )
    state.add_retry(
        errors=list(_THROTTLED),
        interval=cdk.Duration.seconds(5),
        backoff_rate=2,
        max_delay=cdk.Duration.minutes(2),
        max_attempts=_THROTTLED_RETRIES,
        jitter_strategy=sfn.JitterType.FULL,
    )
    state.add_retry(
        errors=[sfn.Errors.TASKS_FAILED, sfn.Errors.TIMEOUT],
        interval=cdk.Duration.seconds(2),
        backoff_rate=3,
        max_attempts=_RETRIES,
        jitter_strategy=sfn.JitterType.FULL,
    )
    return state


def _result(scope: Construct, done: sfn.IChainable) -> sfn.IChainable:
    """Fail unless every agent is done.

    An agent whose execution broke off is not done; AWS then returns a description of that execution as its result.
    """
    failed = f"{_RESULTS}[$type($) = 'object']"
    broken_off = f"{{'step': Status, 'error': Error, 'cause': $substring(Cause, 0, {_CAUSE_LENGTH})}}"
    first = f"{failed}[[0..{_FAILURES_REPORTED - 1}]]"
    each = f"{{'agent_id': $exists(agent_id) ? agent_id : Input, 'error': $exists(error) ? error : {broken_off}}}"
    cause = f"{{'failed': $count({failed}), 'of': $states.input.agents, 'agents': [{first}.{each}]}}"
    some_failed = sfn.Fail.jsonata(scope, "SomeAgentsFailed", error="AgentsFailed", cause=f"{{% $string({cause}) %}}")
    all_done = sfn.Condition.jsonata(f"{{% $count({_RESULTS}[$ = '{_DONE}']) = $states.input.agents %}}")
    return sfn.Choice.jsonata(scope, "AllDone").when(all_done, done).otherwise(some_failed)
