"""What a night does: list the agents, then for each of them learn, forget, archive and report."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

_ATTEMPTS_AFTER_THE_FIRST = 2
_FAILED = "$states.input.agents[$exists(error)]"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an agent's night; its result stands under `name` in the agent's record."""

    name: str
    function: lambda_.IFunction


def nightly_flow(
    scope: Construct, *, agents: lambda_.IFunction, steps: Sequence[Step], concurrency: int
) -> sfn.IChainable:
    """Define the night.

    The function `agents` gets the execution's whole input and answers `{"date", "agents": [{"agent_id", "date"}]}`.
    Each step gets `{"agent_id", "date"}`. An agent's record gathers the steps' results under their names; a step
    that fails for good ends that agent's night and leaves `error` in its record, and the other agents go on.
    The execution fails at the end if any agent did.
    """
    states = Construct(scope, "Flow")  # a scope of its own: states carry the names of functions
    list_agents = tasks.LambdaInvoke.jsonata(
        states,
        "ListAgents",
        lambda_function=agents,
        payload=sfn.TaskInput.from_text("{% $states.input %}"),
        outputs="{% $states.result.Payload %}",
        retry_on_service_exceptions=False,
    )
    _retry(list_agents)
    each_agent = sfn.Map.jsonata(
        states,
        "EachAgent",
        items=sfn.ProvideItems.jsonata("{% $states.input.agents %}"),
        max_concurrency=concurrency,
        outputs={"date": "{% $states.input.date %}", "agents": "{% $states.result %}"},
    )
    each_agent.item_processor(_agent_night(states, steps))
    return list_agents.next(each_agent).next(_verdict(states))


def _agent_night(scope: Construct, steps: Sequence[Step]) -> sfn.IChainable:
    failed = sfn.Pass.jsonata(scope, "AgentFailed", comment="Keeps the error in the agent's record")
    states = [_step(scope, step, on_failure=failed) for step in steps]
    chain = sfn.Chain.start(states[0])
    for state in states[1:]:
        chain = chain.next(state)
    return chain


def _step(scope: Construct, step: Step, *, on_failure: sfn.Pass) -> tasks.LambdaInvoke:
    state = tasks.LambdaInvoke.jsonata(
        scope,
        step.name.capitalize(),
        lambda_function=step.function,
        payload=sfn.TaskInput.from_object(
            {"agent_id": "{% $states.input.agent_id %}", "date": "{% $states.input.date %}"}
        ),
        outputs=f"{{% $merge([$states.input, {{'{step.name}': $states.result.Payload}}]) %}}",
        retry_on_service_exceptions=False,
    )
    _retry(state)
    error = f"{{'step': '{step.name}', 'error': $states.errorOutput.Error, 'cause': $states.errorOutput.Cause}}"
    state.add_catch(
        on_failure,
        errors=[sfn.Errors.ALL],
        outputs=f"{{% $merge([$states.input, {{'error': {error}}}]) %}}",
    )
    return state


def _retry(state: tasks.LambdaInvoke) -> None:
    """Retry whatever failed: the steps are idempotent, and the local cloud reports every error by one name."""
    state.add_retry(
        errors=[sfn.Errors.TASKS_FAILED, sfn.Errors.TIMEOUT],
        interval=cdk.Duration.seconds(2),
        backoff_rate=3,
        max_attempts=_ATTEMPTS_AFTER_THE_FIRST,
        jitter_strategy=sfn.JitterType.FULL,
    )


def _verdict(scope: Construct) -> sfn.IChainable:
    done = sfn.Succeed.jsonata(scope, "Done")
    failed = sfn.Fail.jsonata(
        scope,
        "SomeAgentsFailed",
        error="AgentsFailed",
        cause=f"{{% $string([{_FAILED}.{{'agent_id': agent_id, 'error': error}}]) %}}",
    )
    any_failed = sfn.Condition.jsonata(f"{{% $count({_FAILED}) > 0 %}}")
    return sfn.Choice.jsonata(scope, "AnyFailed").when(any_failed, failed).otherwise(done)
