"""The function of AgentCore Gateway, invoked with a client context as AWS documents it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, decision_id_for, in_memory_stores
from agent_memory.api import gateway
from agent_memory.api.settings import FunctionSettings
from agent_memory.client.tools.catalog import TOOLS, Effect
from agent_memory.client.tools.gateway_schema import gateway_schema
from agent_memory.client.tools.results import NOTICE
from agent_memory.nightly.run import run_nightly_job

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:agent-memory-gateway"
DECISION = {"decision_type": "TRADE", "context": {"market": {"trend": "up"}}, "reasoning": {"action": "buy"}}


@dataclass
class ClientContext:
    custom: dict = field(default_factory=dict)
    env: dict = field(default_factory=dict)
    client: None = None


@dataclass
class Context:
    client_context: ClientContext | None
    invoked_function_arn: str
    function_name: str = "agent-memory-gateway"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "request-1"


def context_of(tool, *, agent="hunter", headers=None):
    custom = {
        "bedrockAgentCoreMessageVersion": "1.0",
        "bedrockAgentCoreAwsRequestId": "request-of-aws",
        "bedrockAgentCoreMcpMessageId": "message-1",
        "bedrockAgentCoreGatewayId": "desk-hunter-abc123",
        "bedrockAgentCoreTargetId": "TARGET1234",
        "bedrockAgentCoreToolName": tool,
    }
    if headers:
        custom["bedrockAgentCorePropagatedHeaders"] = headers
    arn = FUNCTION if agent is None else f"{FUNCTION}:agent-{agent}"
    return Context(ClientContext(custom), arn)


@pytest.fixture(autouse=True)
def stores(monkeypatch):
    opened = in_memory_stores()
    monkeypatch.setenv("AGENT_MEMORY_TABLE_PREFIX", "agent-memory")
    monkeypatch.delenv(gateway.READ_ONLY_VARIABLE, raising=False)
    monkeypatch.setattr(FunctionSettings, "open_stores", lambda _: opened)
    gateway._access.cache_clear()
    yield opened
    gateway._access.cache_clear()


def call(tool, agent="hunter", headers=None, **arguments):
    answered = gateway.answer(arguments, context_of(f"memory___{tool}", agent=agent, headers=headers))
    return json.loads(json.dumps(answered))


def error(tool, **arguments):
    return call(tool, **arguments)["error"]


def test_a_decision_is_recorded_judged_found_and_followed():
    first = call("record_decision", **DECISION)["decision_id"]
    second = call("record_decision", **DECISION, parent_ids=[first])["decision_id"]
    call("record_outcome", decision_id=first, outcome={"pnl": 3}, success=True, metrics={"pnl": 3.5})
    found = call("search_decisions", decision_type="TRADE", success="succeeded")
    assert ([one["decision_id"] for one in found["entries"]], found["complete"]) == ([first], True)
    assert next(iter(found)) == "notice"
    assert found["notice"] == NOTICE
    assert [one["decision_id"] for one in call("get_decision_chain", decision_id=second)["entries"]] == [first]
    similar = call("find_similar_decisions", context=DECISION["context"])
    assert [one["similarity"] for one in similar["entries"]] == [1.0, 1.0]
    assert (similar["success_rate"], similar["with_outcome"], similar["base_decisions"]) == (1.0, 1, 2)


def test_memories_advice_and_verification():
    name = {"memory_type": "LESSON", "memory_id": "gaps"}
    call("add_memory", **name, content={"text": "fade gaps"})
    assert call("get_memory", **name)["memory"]["text"] == "fade gaps"
    assert call("set_working_memory", key="plan", value=[1, None])["stored"]
    assert call("get_working_memory", key="plan")["value"] == [1, None]
    advice = call("advise", decision_type="TRADE", context={}, options=["buy", "wait"], choose="greedy")["figures"]
    logged = call("record_decision", **DECISION, log_with=advice["log_with"])
    assert call("get_decision", **logged)["decision"]["policy"] == "greedy"
    assert call("verify_audit_chain")["figures"]["status"] == "nothing_checked"
    assert call("get_service_status")["available"]


def test_advice_counts_results_since_the_nightly_job_where_it_is_asked_to(stores):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    log = DecisionLogger("hunter", stores=stores).sync

    def trade(n, made_at, success, known_at=None):
        one = log.log_decision("TRADE", {}, {"action": "buy"}, decision_id=decision_id_for("TRADE", made_at, str(n)))
        log.log_outcome(one, {}, success, timestamp=known_at)

    for n in range(20):
        trade(n, yesterday, True, yesterday + timedelta(hours=1))
    run_nightly_job("hunter", yesterday.date(), stores)
    for n in range(5):
        trade(n, today, False)
    question = {"decision_type": "TRADE", "context": {}, "options": ["buy"]}
    plain, recent = (call("advise", **question, recent=one)["figures"] for one in (False, True))
    assert (plain["estimated_from"]["recent_results"], recent["estimated_from"]["recent_results"]) == (None, 5)
    assert recent["options"][0]["expected"] < plain["options"][0]["expected"]


def test_the_agent_is_that_of_the_alias_and_of_nothing_that_a_caller_writes():
    call("record_decision", agent="hunter", headers={"x-agent-id": "scout"}, **DECISION)
    assert call("search_decisions", agent="scout")["entries"] == []
    assert len(call("search_decisions", agent="hunter")["entries"]) == 1
    refused = error("record_decision", **DECISION, agent_id="scout")
    assert (refused["code"], refused["field"]) == ("invalid_input", "/agent_id")
    assert error("search_decisions", agent=None)["code"] == "forbidden"


@pytest.mark.parametrize("name", ["", "memory___", "memory___drop_table", "record_decision___x"])
def test_an_unknown_tool_is_refused(name):
    refused = gateway.answer({}, context_of(name))["error"]
    assert (refused["code"], "record_decision" in refused["message"]) == ("not_found", True)


def test_a_target_may_have_any_name_and_the_context_may_be_missing():
    for name in ("get_service_status", "a___b___get_service_status"):
        assert gateway.answer({}, context_of(name))["agent_id"] == "hunter"
    without = Context(None, f"{FUNCTION}:agent-hunter")
    assert gateway.answer({}, without)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("record_decision", {}, "/decision_type"),
        ("record_decision", {**DECISION, "decision_type": "x"}, "decision_type"),
        ("record_decision", {**DECISION, "context": "up"}, "/context"),
        ("record_decision", {**DECISION, "log_with": {"agent_id": "scout"}}, "/log_with/agent_id"),
        ("search_decisions", {"limit": 0}, "/limit"),
        ("search_decisions", {"limits": 5}, "/limits"),
        ("search_decisions", {"success": "maybe"}, "/success"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_name_and_nothing_is_stored(tool, arguments, field):
    refused = error(tool, **arguments)
    assert (refused["code"], refused["field"].lstrip("/")) == ("invalid_input", field.lstrip("/"))
    assert call("search_decisions")["entries"] == []


@pytest.mark.parametrize("event", [None, [], "text", 3])
def test_an_event_that_is_no_object_is_refused(event):
    assert gateway.answer(event, context_of("memory___get_service_status"))["error"]["code"] == "invalid_input"


def test_errors_of_the_store_have_a_code_and_unexpected_ones_show_nothing(monkeypatch):
    missing = decision_id_for("TRADE", 5, "never")
    assert error("get_decision", decision_id=missing)["code"] == "not_found"

    async def fail(*_, **__):
        raise RuntimeError("password=secret")

    monkeypatch.setattr("agent_memory.client.tools.audit_tools.AuditTools.get_service_status", fail)
    refused = error("get_service_status")
    assert (refused["code"], "request-1" in refused["message"]) == ("internal_error", True)
    assert "secret" not in json.dumps(refused)


def test_a_gateway_that_only_reads_has_no_tool_that_writes(monkeypatch):
    monkeypatch.setenv(gateway.READ_ONLY_VARIABLE, "true")
    assert error("record_decision", **DECISION)["code"] == "not_found"
    assert call("get_service_status")["read_only"]


def test_a_result_that_lambda_cannot_return_is_refused(monkeypatch):
    call("record_decision", **DECISION)
    monkeypatch.setattr(gateway, "MAX_ESCAPED_BYTES", 100)
    assert error("search_decisions")["code"] == "too_large"


# --- the schema ---------------------------------------------------------------------------------------

ALLOWED = {"type", "description", "properties", "required", "items"}


def definitions(schema):
    yield schema
    for one in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from definitions(one)


def test_the_schema_has_only_what_a_gateway_knows():
    schema = gateway_schema(TOOLS)
    assert [one["name"] for one in schema] == [one.name for one in TOOLS]
    for tool in schema:
        assert set(tool) == {"name", "description", "inputSchema"}
        assert tool["description"]
        assert tool["inputSchema"]["type"] == "object"
        for one in definitions(tool["inputSchema"]):
            assert set(one) <= ALLOWED
            assert one["type"] in {"string", "number", "object", "array", "boolean", "integer"}
            assert set(one.get("required", ())) <= set(one.get("properties", {}))


def test_the_schema_says_what_is_required_and_what_values_are_allowed():
    schema = {one["name"]: one["inputSchema"] for one in gateway_schema(TOOLS)}
    assert schema["record_decision"]["required"] == ["decision_type", "context", "reasoning"]
    assert schema["record_decision"]["properties"]["log_with"]["properties"]["propensity"] == {"type": "number"}
    assert schema["record_decision"]["properties"]["parent_ids"]["items"] == {"type": "string"}
    found = schema["search_decisions"]["properties"]
    assert "one of succeeded, failed, pending" in found["success"]["description"]
    assert "at most 1,000; 20 by default" in found["limit"]["description"]


def test_every_argument_of_the_schema_is_one_of_the_tool_and_the_agent_is_none():
    for tool, defined in zip(TOOLS, gateway_schema(TOOLS), strict=True):
        assert set(defined["inputSchema"].get("properties", {})) == set(tool.arguments.model_fields)
        assert not {"agent", "agent_id", "read_only"} & set(tool.arguments.model_fields)
    assert {one.effect for one in TOOLS} == set(Effect)
