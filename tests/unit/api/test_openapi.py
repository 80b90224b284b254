"""The OpenAPI document: it is valid, complete and committed, and describes what the routes accept and return."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from agent_memory.api import openapi
from agent_memory.api.app import ROUTERS
from agent_memory.api.entry import resolve
from agent_memory.api.schemas import examples
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.decisions.inputs import DecisionInput, OutcomeInput, OutcomeItem
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.decisions import Decision, DecisionDict, Outcome, SupersededOutcome
from tests.http_events import Context, http_event

DOCUMENT = openapi.document()
SCHEMAS = DOCUMENT["components"]["schemas"]
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
OPERATIONS = {
    one["operationId"]: (method.upper(), path, one)
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
}


def validator_of(schema):
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def content_of(body):
    return body["content"]["application/json"]


def contents():
    for name, (_, _, one) in OPERATIONS.items():
        if "requestBody" in one:
            yield f"{name} request", content_of(one["requestBody"])
        for status, response in one["responses"].items():
            yield f"{name} {status}", content_of(response)


CONTENTS = dict(contents())


def test_the_document_is_openapi_3_1():
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_the_committed_document_is_up_to_date():
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == DOCUMENT, "run `make openapi`"


def test_every_route_is_described():
    served = {handler.__name__ for router in ROUTERS for handler in router._routes.values()}
    assert set(OPERATIONS) == served
    for _, _, one in OPERATIONS.values():
        assert one["summary"]
        assert one["description"]
        assert {"400", "403", "413", "500", "503"} <= set(one["responses"])
        assert "422" not in one["responses"]
        for parameter in one["parameters"]:
            assert parameter["description"]


def test_every_schema_is_used_and_described():
    references = json.dumps(DOCUMENT)
    for name, schema in SCHEMAS.items():
        assert f'"#/components/schemas/{name}"' in references
        assert schema["description"]


@pytest.mark.parametrize("model", [DecisionInput, OutcomeInput, DecisionDict])
def test_inputs_and_decisions_are_described_field_by_field(model):
    schema = SCHEMAS[model.__name__]
    assert set(schema["properties"]) == set(model.__annotations__)
    assert set(schema["required"]) == set(model.__required_keys__)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("batch", "item"), [("DecisionBatch", DecisionInput), ("OutcomeBatch", OutcomeItem)])
def test_the_items_of_batches_are_described_field_by_field(batch, item):
    (items,) = SCHEMAS[batch]["properties"].values()
    described, anything = items["items"]["anyOf"]
    assert anything == {}, "an invalid item has its own result, and does not make the request invalid"
    described = SCHEMAS[described["$ref"].rpartition("/")[2]] if "$ref" in described else described
    assert set(described["properties"]) == set(item.__annotations__)
    assert set(described["required"]) == set(item.__required_keys__)


def test_a_decision_matches_its_schema():
    outcome = Outcome(True, {"n": 1}, {}, 1_760_000_000_000, "1h")
    decision = Decision(
        "hunter",
        examples.DECISION_ID,
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
    validator_of(SCHEMAS["DecisionDict"]).validate(decision.as_dict())


@pytest.mark.parametrize("name", CONTENTS)
def test_examples_match_their_schemas(name):
    content = CONTENTS[name]
    validator_of(content["schema"]).validate(content["example"])


def send(name, **parameters):
    method, path, one = OPERATIONS[name]
    body = content_of(one["requestBody"])["example"] if "requestBody" in one else None
    required = {p["name"]: p["example"] for p in one["parameters"] if p["in"] == "query" and p["required"]}
    event = http_event(method, path.format(**{**examples.PARAMETERS, **parameters}), body, required)
    response = resolve(event, Context())
    return response["statusCode"], json.loads(response["body"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_example_is_accepted_and_its_response_matches_the_schema(served, name):
    memory = MemoryManager(examples.AGENT_ID, stores=served)
    memory.direct.short_term.put("context:current", {"volatility": "high"}, 60)
    memory.direct.long_term.put("PATTERN", "whale_pump_correlation", {"confidence": 0.5})
    if name not in ("save_state", "load_state"):
        memory.direct.states.save({"configuration": {"a": 1}})
        memory.direct.states.checkpoint("before-open")
    if name == "release":
        memory.direct.quarantines.put("whale_pump_correlation", "written by an intruder")
    if name not in ("log_decision", "log_decisions"):
        DecisionLog(examples.AGENT_ID, served).log_one(examples.BODIES["DecisionInput"])
    status, body = send(name)
    assert status < 300, body
    validator_of(content_of(OPERATIONS[name][2]["responses"][str(status)])["schema"]).validate(body)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_error_response_matches_the_schema(served, name):
    status, body = send(name, agent_id="Not-usable!")
    assert (status, body["error"]["field"]) == (400, "agent_id")
    validator_of(SCHEMAS["Error"]).validate(body)


QUERIES = [(name, p["name"]) for name, (_, _, o) in OPERATIONS.items() for p in o["parameters"] if p["in"] == "query"]


@pytest.mark.parametrize(("name", "parameter"), QUERIES)
def test_every_parameters_example_matches_its_schema(name, parameter):
    (described,) = [one for one in OPERATIONS[name][2]["parameters"] if one["name"] == parameter]
    validator_of(described["schema"]).validate(described["example"])
    if described["schema"].get("contentMediaType") == "application/json":
        validator_of(described["schema"]["contentSchema"]).validate(json.loads(described["example"]))
