"""The OpenAPI document: valid, complete, as committed, and true of what the routes take and give."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from agent_memory.api import app as api
from agent_memory.api import openapi
from agent_memory.api.schemas import base as openapi_shapes
from agent_memory.api.schemas import decisions as openapi_decisions
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.decisions.inputs import DRAFT_FIELDS, REPORT_FIELDS
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome
from tests.http_events import Context, http_event

DOCUMENT = openapi.document(api.ROOMS)
OPERATIONS = [operation for room in api.ROOMS for operation in room.operations]
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


def validator_of(model):
    schema = {"$ref": f"#/components/schemas/{model}", "components": DOCUMENT["components"]}
    return Draft202012Validator(schema)


def test_the_document_is_openapi_3_1():
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_the_committed_document_is_that_of_the_code():
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == DOCUMENT, "run `make openapi`"


def test_every_route_is_in_it_and_says_what_it_is_for():
    told = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert sorted(one["operationId"] for one in told) == sorted(operation.name for operation in OPERATIONS)
    served = {route.rule.pattern for route in api.app._static_routes + api.app._dynamic_routes}
    assert len(served) == len(DOCUMENT["paths"])
    for one in told:
        assert one["summary"]
        assert one["description"]
        assert {"400", "403", "413", "500", "503"} <= set(one["responses"])


def test_requests_are_described_field_by_field():
    def fields(model):
        return {name: one.is_required() for name, one in model.model_fields.items()}

    assert fields(openapi_decisions.DecisionDraft) == DRAFT_FIELDS
    assert fields(openapi_decisions.OutcomeItem) == REPORT_FIELDS
    assert fields(openapi_decisions.OutcomeReport) == {n: r for n, r in REPORT_FIELDS.items() if n != "decision_id"}


def test_a_decision_is_described_field_by_field():
    outcome = Outcome(True, {"n": 1}, {}, 1_760_000_000_000, "1h")
    decision = Decision(
        "hunter",
        openapi_shapes.DECISION_ID,
        "QUERY",
        1_760_000_000_000,
        {},
        {},
        {},
        outcome,
        (),
        (),
        (outcome,),
        (SupersededOutcome(outcome, 1_760_000_000_001),),
    )
    assert set(decision.as_dict()) == set(openapi_decisions.Decision.model_fields)
    assert validator_of("Decision").is_valid(decision.as_dict())


@pytest.mark.parametrize("name", sorted({o.takes for o in OPERATIONS if o.takes} | {o.gives for o in OPERATIONS}))
def test_examples_are_what_the_models_say(name):
    example = openapi.model_of(name).example
    assert example
    validator_of(name).validate(example)


def send(operation):
    path = operation.path.format(**openapi.PATH_EXAMPLES)
    body = openapi.model_of(operation.takes).example if operation.takes else None
    event = http_event(operation.method, path, body)
    answer = api.app.resolve(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_example_is_taken_and_answered_as_described(served, operation):
    memory = MemoryManager(openapi_shapes.AGENT_ID, stores=served)
    memory.short_term.put("context:current", {"volatility": "high"}, 60)
    memory.long_term.put("PATTERN", "whale_pump_correlation", {"confidence": 0.5})
    if operation.name not in ("save_state", "load_state"):
        memory.states.save({"configuration": {"a": 1}})
        memory.states.checkpoint("before-open")
    if operation.name not in ("log_decision", "log_decisions"):
        DecisionLog(openapi_shapes.AGENT_ID, served).log_one(openapi_decisions.DecisionDraft.example)
    status, answer = send(operation)
    assert status in [one.value for one in operation.statuses], answer
    validator_of(operation.gives).validate(answer)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_refusal_is_answered_as_described(served, operation):
    path = operation.path.format(**{**openapi.PATH_EXAMPLES, "agent_id": "Not-usable!"})
    body = openapi.model_of(operation.takes).example if operation.takes else None
    answer = api.app.resolve(http_event(operation.method, path, body), Context())
    assert answer["statusCode"] == 400
    told = json.loads(answer["body"])
    assert told["error"]["field"] == "agent_id"
    validator_of("Error").validate(told)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.query], ids=lambda operation: operation.name)
def test_every_parameter_s_example_can_be_read(operation):
    for parameter in operation.query:
        text = json.dumps(parameter.example) if parameter.is_json else str(parameter.example)
        parameter.value(text)
