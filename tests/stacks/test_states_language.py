"""The state machine as others read it: a validator of its language, and the original JSONata."""

import json

import pytest

from tests.stacks.conftest import DEPLOYMENTS
from tests.stacks.iam import Account
from tests.stacks.states_language import ask

pytestmark = pytest.mark.slow

_REQUEST = {"StatusCode": 200, "Payload": {"date": "2026-11-20", "agents": 2, "list": "nights/x"}}
_DONE, _FAILED = "done", {"agent_id": "b", "error": {"step": "pruning", "error": "Unavailable", "cause": "throttled"}}
_BROKEN_OFF = {"Status": "FAILED", "Error": "States.Timeout", "Cause": "c" * 900, "Input": '{"agent_id":"c"}'}


def definition(synthesized):
    account = Account(synthesized.templates)
    text = synthesized["nightly"].only("AWS::StepFunctions::StateMachine")["DefinitionString"]
    return json.loads(account.resolve("nightly", text))


def expressions(value):
    """Every JSONata expression, without its marks."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in expressions(one)]
    if isinstance(value, list):
        return [text for one in value for text in expressions(one)]
    is_expression = isinstance(value, str) and value.startswith("{%")
    return [value.removeprefix("{%").removesuffix("%}").strip()] if is_expression else []


@pytest.fixture(scope="module")
def definitions(deployments):
    return {name: definition(deployments(name)) for name in DEPLOYMENTS}


@pytest.fixture(scope="module")
def states(definitions):
    return definitions["prod"]["States"]


def test_every_definition_is_valid_and_every_expression_is_jsonata(definitions):
    texts = sorted({text for one in definitions.values() for text in expressions(one)})
    assert len(texts) > 10
    answer = ask(definitions=list(definitions.values()), expressions=texts)
    assert answer["definitions"] == [None] * len(definitions)
    assert answer["expressions"] == [None] * len(texts)


def test_mistakes_would_be_found(definitions):
    wrong = json.loads(json.dumps(definitions["prod"]))
    wrong["States"]["AllDone"]["Default"] = "NoSuchState"
    also_wrong = json.loads(json.dumps(definitions["prod"]))
    del also_wrong["States"]["ListAgents"]["Resource"]
    answer = ask(definitions=[wrong, also_wrong], expressions=["$count(", "$sum([1])"])
    assert all(answer["definitions"])
    assert [one is None for one in answer["expressions"]] == [False, True]


@pytest.mark.parametrize(
    ("results", "is_done", "failed"),
    [
        ([_DONE, _DONE], True, []),
        ([_DONE], False, []),
        ([], False, []),
        ([_DONE, _FAILED], False, ["b"]),
        ([_FAILED], False, ["b"]),
        ([_FAILED, _FAILED], False, ["b", "b"]),
        ([_DONE, _BROKEN_OFF], False, ['{"agent_id":"c"}']),
        ([_FAILED, _BROKEN_OFF, _DONE], False, ["b", '{"agent_id":"c"}']),
        ([_FAILED] * 50, False, ["b"] * 20),
    ],
)
def test_the_results_of_agents_are_judged_alike_by_the_original(states, results, is_done, failed):
    (rule,) = states["AllDone"]["Choices"]
    variables = {"states": {"input": {"date": "2026-11-20", "agents": 2, "results": results}}}
    condition, cause = (expressions(one)[0] for one in (rule["Condition"], states["SomeAgentsFailed"]["Cause"]))
    judged, described = ask(evaluations=[[condition, variables], [cause, variables]])["evaluations"]
    assert judged == {"result": is_done}
    report = json.loads(described["result"])
    assert report["failed"] == sum(one != _DONE for one in results)
    agents = report.get("agents", [])
    assert [one["agent_id"] for one in agents] == failed
    assert all(len(json.dumps(one)) < 1_000 for one in agents)


def test_a_run_lists_agents_under_the_name_of_its_execution(states):
    payload, output = (expressions(states["ListAgents"][one])[0] for one in ("Arguments", "Output"))
    given = {"scheduled_time": "2026-11-21T00:10:00Z"}
    context = {"input": given, "context": {"Execution": {"Name": "r-1"}}, "result": _REQUEST}
    answers = ask(evaluations=[[payload, {"states": context}], [output, {"states": context}]])["evaluations"]
    assert answers == [{"result": {**given, "run": "r-1"}}, {"result": _REQUEST["Payload"]}]


def test_a_second_run_ends_at_once(states):
    """As `ListAgents` answers for a start that was delivered twice."""
    (rule,) = states["AnyAgents"]["Choices"]
    assert rule["Next"] == "Done"
    listed = {"date": "2026-11-20", "agents": 0, "list": None, "repeats": "r-1"}
    (answer,) = ask(evaluations=[[expressions(rule["Condition"])[0], {"states": {"input": listed}}]])["evaluations"]
    assert answer == {"result": True}
