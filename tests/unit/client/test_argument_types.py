"""Values of a wrong type, the falsy ones above all, are refused by every method and path, and the argument is named."""

from contextlib import suppress

import pytest

from agent_memory import BufferedDecisionLogger, DecisionLogger, MemoryManager
from agent_memory.core.clock import SystemClock
from agent_memory.core.errors import Conflict, InvalidInput, NotFound, Rejected
from agent_memory.core.ids import new_decision_id
from tests.http_events import call_routes, client_with

VALUES = (
    *([], "", 0, False, {}, (), 0.0, b"", 5, True, 1.5, "x", object(), ["x"], [[]], [None]),
    *({"PATTERN": True}, {"PATTERN": "x"}, {"PATTERN": 0}),
)
NOTHING = ()
OBJECT, LIST, TEXT, BOOL, WHOLE = (dict,), (list, tuple), (str,), (bool,), (int,)
SECONDS = (int, float)
DECISION = new_decision_id("QUERY", SystemClock().now_ms() - 60_000)
MEMORY_NAME = {"memory_type": "PATTERN", "pattern_id": "p"}

# Method: usable arguments, and the types of which a value may be used for each argument.
LOG = {
    "log_decision": (
        {"decision_type": "QUERY", "context": {}, "reasoning": {}},
        {"decision_type": NOTHING, "decision_id": NOTHING, "timestamp": NOTHING}
        | dict.fromkeys(("context", "reasoning", "metadata"), OBJECT)
        | dict.fromkeys(("parent_ids", "memory_ids"), LIST)
        | dict.fromkeys(("policy", "policy_version"), TEXT)
        | dict.fromkeys(("propensity", "joint_propensity"), SECONDS),
    ),
    "log_outcome": (
        {"decision_id": DECISION, "outcome": {}, "success": True},
        {"decision_id": NOTHING, "horizon": TEXT, "timestamp": NOTHING}
        | dict.fromkeys(("outcome", "metrics"), OBJECT)
        | dict.fromkeys(("success", "amend", "headline"), BOOL),
    ),
}
QUERIES = {
    "query_decisions": (
        {},
        {"decision_type": NOTHING, "time_range": NOTHING, "context_filter": OBJECT}
        | {"success_filter": BOOL, "limit": WHOLE},
    ),
    "get_decision_chain": ({"decision_id": DECISION}, {"decision_id": NOTHING, "depth": WHOLE}),
    "analyze_decision_patterns": ({}, {"decision_type": NOTHING, "time_range": NOTHING, "group_by": NOTHING}),
}
MEMORY = {
    "store_stm": ({"key": "k", "data": 1, "ttl_seconds": 5}, {"key": TEXT, "ttl_seconds": WHOLE}),
    "retrieve_stm": ({}, {"key": TEXT}),
    "clear_stm": ({}, {"pattern": TEXT}),
    "store_ltm": (
        {**MEMORY_NAME, "data": {}},
        {"memory_type": NOTHING, "pattern_id": TEXT, "data": OBJECT, "reason": TEXT, "expected_version": WHOLE},
    ),
    "retrieve_ltm": (
        {"memory_type": "PATTERN"},
        {"memory_type": NOTHING, "filters": OBJECT, "as_of": SECONDS, "matches": OBJECT},
    ),
    "advise": (
        {"decision_type": "TRADE", "context": {}, "options": ["long", "short"], "choose": "greedy"},
        dict.fromkeys(("decision_type", "choose"), NOTHING)
        | {"context": OBJECT, "options": LIST, "choice": TEXT, "count": WHOLE, "exploration": SECONDS, "seed": TEXT},
    ),
    "update_ltm_confidence": (
        {**MEMORY_NAME, "new_confidence": 0.5},
        {"memory_type": NOTHING, "pattern_id": TEXT, "new_confidence": (int, float), "reason": TEXT},
    ),
    "get_ltm": (MEMORY_NAME, {"memory_type": NOTHING, "pattern_id": TEXT}),
    "delete_ltm": (
        {**MEMORY_NAME, "reason": "a test's data"},
        {"memory_type": NOTHING, "pattern_id": TEXT, "reason": TEXT, "expected_version": WHOLE},
    ),
    "get_ltm_history": (MEMORY_NAME, {"memory_type": NOTHING, "pattern_id": TEXT}),
    "consolidate_to_ltm": ({"stm_key": "k", "pattern_type": "PATTERN"}, {"stm_key": TEXT, "pattern_type": NOTHING}),
    "get_context_memory": ({}, {"time_range": NOTHING, "context_filter": OBJECT, "limit": WHOLE, "level": NOTHING}),
    "recall": (
        {"query": "x"},
        {"query": TEXT, "kind": NOTHING, "symbol": TEXT, "top_k": WHOLE, "explain": BOOL, "half_lives": OBJECT},
    ),
    "similar": (
        {"context": {"trend": "up"}},
        {"context": OBJECT, "decision_type": NOTHING, "top_k": WHOLE, "min_similarity": SECONDS},
    ),
    "save_state": ({"state": {}}, {"state": OBJECT, "expected_version": WHOLE}),
    "load_state": ({}, {"fresh": BOOL}),
    "create_checkpoint": ({}, {"name": TEXT}),
    "restore_checkpoint": ({"name": "n"}, {"name": TEXT, "expected_version": WHOLE}),
    "check_rate_limit": (
        {"source_id": "s", "limit": 5, "window_seconds": 5},
        {"source_id": TEXT, "limit": WHOLE, "window_seconds": WHOLE},
    ),
    "write_cycle": (
        {},
        {"context": OBJECT, "performance": OBJECT, "cycle_id": TEXT}
        | dict.fromkeys(("queries", "signals", "decision_ids"), LIST),
    ),
    "read_cycle": ({}, {"cycles": WHOLE, "signals_since": SECONDS, "performance": OBJECT}),
}


@pytest.fixture
def objects(served, tmp_path):
    """The classes that agents call, on the same stores: directly, over HTTP and buffered."""
    logger = DecisionLogger("market-hunter", stores=served)
    memory = MemoryManager("market-hunter", stores=served).sync
    memory.store_stm("k", {"a": 1}, 600)
    logger.sync.log_decision("QUERY", {}, {}, decision_id=DECISION)
    client = client_with(call_routes).sync
    # Outcomes that contradict each other are refused by the store later.
    with suppress(Rejected), BufferedDecisionLogger(logger, directory=tmp_path).sync as buffered:
        yield {"direct": logger.sync, "memory": memory, "http": client, "buffered": buffered}


PATHS = {"direct": LOG | QUERIES, "memory": MEMORY, "http": LOG | QUERIES | MEMORY, "buffered": LOG}
CASES = [(path, method) for path, methods in PATHS.items() for method in methods]


@pytest.mark.parametrize(("path", "method"), CASES)
def test_a_value_of_a_wrong_type_is_refused_and_its_argument_named(objects, path, method):
    usable, types = (LOG | QUERIES | MEMORY)[method]
    for argument, allowed in types.items():
        for value in VALUES:
            has_type = isinstance(value, allowed) and (not isinstance(value, bool) or bool in allowed)
            try:
                getattr(objects[path], method)(**{**usable, argument: value})
            except InvalidInput as error:
                assert argument.partition("_")[0] in error.field, (argument, value, error)
            except (NotFound, Conflict):
                assert has_type, (argument, value)
            else:
                assert has_type, (argument, value)


def test_what_is_left_out_is_not_refused(objects):
    for path in ("direct", "http", "buffered"):
        decision_id = objects[path].log_decision("QUERY", {}, {}, metadata=None, parent_ids=(), memory_ids=())
        objects[path].log_outcome(decision_id, {}, success=True, metrics=None, amend=False, headline=False)


def test_the_policy_and_the_propensities_are_kept_on_every_path(objects):
    policy = {"policy": "thompson", "policy_version": "3", "propensity": 0.25, "joint_propensity": 1}
    for path in ("direct", "http", "buffered"):
        decision_id = objects[path].log_decision("QUERY", {}, {}, **policy)
        if path == "buffered":
            objects[path].flush()
        found = objects["direct"].get_decision(decision_id)
        assert {name: found[name] for name in policy} == policy


def test_advice_is_the_same_on_every_path(objects):
    features = ["context.market.trend=up", "reasoning.direction=long"]
    claim = {"features": features, "decision_type": "TRADE", "confidence": 0.8, "status": "active"}
    objects["memory"].store_ltm("PATTERN", "up_long", claim)
    question = ("TRADE", {"market": {"trend": "up"}}, ["long", "short"])
    asked = {"choose": "thompson", "seed": "1", "exploration": 0}
    direct = objects["memory"].advise(*question, **asked)
    assert objects["http"].advise(*question, **asked) == direct
    assert direct["memory_ids"] == ["up_long"]
    matches = {"market": {"trend": "up"}}
    found = [objects[path].retrieve_ltm("PATTERN", matches=matches) for path in ("memory", "http")]
    assert [[one["pattern_id"] for one in listing] for listing in found] == [["up_long"], ["up_long"]]
    assert objects["http"].retrieve_ltm("PATTERN", matches={"market": {"trend": "down"}}) == []
