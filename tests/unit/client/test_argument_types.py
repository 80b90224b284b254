"""Values of a wrong type, the falsy ones above all, are refused by every method and path, and the argument is named."""

import inspect
from contextlib import suppress
from datetime import datetime

import pytest

from agent_memory import BufferedDecisionLogger, DecisionLogger, MemoryManager, SyncAgentMemoryClient
from agent_memory.core.clock import SystemClock
from agent_memory.core.errors import Conflict, InvalidInput, NotFound, Rejected
from agent_memory.core.ids import new_decision_id
from tests.http_events import call_routes, client_with

VALUES = (
    *([], "", 0, False, {}, (), 0.0, b"", 5, True, 1.5, "x", object(), ["x"], [[]], [None]),
    *({"PATTERN": True}, {"PATTERN": "x"}, {"PATTERN": 0}),
)
NOTHING = ()
OBJECT, LIST, TEXT, BOOL, INTEGER = (dict,), (list, tuple), (str,), (bool,), (int,)
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
    "log_decisions": ({}, {"decisions": LIST}),
    "log_outcomes": ({}, {"outcomes": LIST}),
}
FILTERS = {"decision_type": NOTHING, "time_range": NOTHING, "context_filter": OBJECT, "success_filter": BOOL}
FILTERS |= {"context_type": TEXT, "text": TEXT, "limit": INTEGER, "newest_first": BOOL}
QUERIES = {
    "get_decision": ({}, {"decision_id": NOTHING}),
    "query_decisions": ({}, FILTERS),
    "page_decisions": ({}, FILTERS | {"cursor": NOTHING}),
    "get_decision_chain": (
        {"decision_id": DECISION},
        {"decision_id": NOTHING, "depth": INTEGER, "limit": INTEGER},
    ),
    "analyze_decision_patterns": (
        {},
        {"decision_type": NOTHING, "time_range": NOTHING, "group_by": NOTHING, "exact": BOOL},
    ),
    "evaluate_policy": (
        {"policy": lambda _: {}},
        {"policy": NOTHING, "time_range": NOTHING, "decision_type": NOTHING}
        | {"choice": TEXT, "reward": TEXT, "max_weight": SECONDS},
    ),
}
MEMORY = {
    "store_stm": ({"key": "k", "data": 1, "ttl_seconds": 5}, {"key": TEXT, "ttl_seconds": INTEGER}),
    "retrieve_stm": ({}, {"key": TEXT}),
    "clear_stm": ({}, {"pattern": TEXT}),
    "store_ltm": (
        {**MEMORY_NAME, "data": {}},
        {"memory_type": NOTHING, "pattern_id": TEXT, "data": OBJECT, "reason": TEXT, "expected_version": INTEGER},
    ),
    "retrieve_ltm": (
        {"memory_type": "PATTERN"},
        {"memory_type": NOTHING, "filters": OBJECT, "as_of": SECONDS, "matches": OBJECT, "assignment": NOTHING},
    ),
    "get_pattern_memory": ({}, {"pattern_type": NOTHING, "min_confidence": SECONDS, "as_of": SECONDS}),
    "advise": (
        {"decision_type": "TRADE", "context": {}, "options": ["long", "short"], "choose": "greedy"},
        dict.fromkeys(("decision_type", "choose", "result", "assignment"), NOTHING)
        | {"context": OBJECT, "options": LIST, "choice": TEXT, "count": INTEGER, "exploration": SECONDS, "seed": TEXT}
        | {"recent": BOOL},
    ),
    "update_ltm_confidence": (
        {**MEMORY_NAME, "new_confidence": 0.5},
        {"memory_type": NOTHING, "pattern_id": TEXT, "new_confidence": (int, float), "reason": TEXT},
    ),
    "get_ltm": (MEMORY_NAME, {"memory_type": NOTHING, "pattern_id": TEXT}),
    "delete_ltm": (
        {**MEMORY_NAME, "reason": "a test's data"},
        {"memory_type": NOTHING, "pattern_id": TEXT, "reason": TEXT, "expected_version": INTEGER},
    ),
    "get_ltm_history": (MEMORY_NAME, {"memory_type": NOTHING, "pattern_id": TEXT}),
    "consolidate_to_ltm": ({"stm_key": "k", "pattern_type": "PATTERN"}, {"stm_key": TEXT, "pattern_type": NOTHING}),
    "get_context_memory": (
        {},
        {"time_range": NOTHING, "context_filter": OBJECT, "limit": INTEGER, "level": NOTHING, "cursor": NOTHING},
    ),
    "recall": (
        {"query": "x"},
        {"query": TEXT, "kind": NOTHING, "symbol": TEXT, "top_k": INTEGER, "explain": BOOL, "half_lives": OBJECT}
        | {"time_range": NOTHING, "as_of": SECONDS, "context": OBJECT, "tags": LIST, "success": BOOL}
        | {"weights": OBJECT, "cursor": NOTHING},
    ),
    "similar": (
        {"context": {"trend": "up"}},
        {"context": OBJECT, "decision_type": NOTHING, "top_k": INTEGER, "min_similarity": SECONDS}
        | {"as_of": SECONDS, "time_range": NOTHING},
    ),
    "crowding": ({}, {"day": NOTHING}),
    "influence": ({}, {"memory_id": TEXT}),
    "quarantine": (
        {"memory_id": "p", "reason": "wrong"},
        {"memory_id": TEXT, "reason": TEXT, "memory_type": NOTHING},
    ),
    "release": (
        {"memory_id": "p", "reason": "right"},
        {"memory_id": TEXT, "reason": TEXT, "memory_type": NOTHING},
    ),
    "save_state": ({"state": {}}, {"state": OBJECT, "expected_version": INTEGER}),
    "load_state": ({}, {"fresh": BOOL}),
    "create_checkpoint": ({}, {"name": TEXT}),
    "restore_checkpoint": ({"name": "n"}, {"name": TEXT, "expected_version": INTEGER}),
    "check_rate_limit": (
        {"source_id": "s", "limit": 5, "window_seconds": 5},
        {"source_id": TEXT, "limit": INTEGER, "window_seconds": INTEGER},
    ),
    "write_cycle": (
        {},
        {"context": OBJECT, "performance": OBJECT, "cycle_id": TEXT, "values": OBJECT, "at": SECONDS}
        | dict.fromkeys(("queries", "signals", "decision_ids", "asked"), LIST),
    ),
    "read_cycle": ({}, {"cycles": INTEGER, "signals_since": SECONDS, "performance": OBJECT}),
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


def test_every_method_of_both_paths_is_tested():
    on_both = set(dir(MemoryManager("a", stores="sqlite://").sync)) | set(
        dir(DecisionLogger("a", stores="sqlite://").sync)
    )
    methods = {name for name in on_both & set(dir(SyncAgentMemoryClient)) if not name.startswith("_")}
    with_arguments = {name for name in methods if _parameters(name)}
    assert with_arguments - {"pool", "remove_signal"} == set(LOG | QUERIES | MEMORY)
    for name, (usable, types) in (LOG | QUERIES | MEMORY).items():
        assert _parameters(name) - usable.keys() - types.keys() <= {"strict", "time_range"}, name


def _parameters(name):
    method = getattr(SyncAgentMemoryClient, name)
    return set(inspect.signature(method).parameters) - {"self"} if callable(method) else set()


@pytest.mark.parametrize(
    ("method", "arguments", "field"),
    [
        ("log_decision", {"parent_ids": [DECISION, None]}, "/parent_ids/1"),
        ("log_decision", {"memory_ids": [5]}, "/memory_ids/0"),
        ("log_decisions", {"decisions": None}, "/decisions"),
        ("log_outcomes", {"outcomes": (one for one in ())}, "/outcomes"),
        *[("get_decision_chain", {name: value}, name) for name in ("depth", "limit") for value in (None, "1")],
        *[("query_decisions", {name: None}, name) for name in ("limit", "newest_first")],
        ("evaluate_policy", {"max_weight": 10**400}, "max_weight"),
        ("get_context_memory", {"limit": None}, "limit"),
        ("read_cycle", {"cycles": None}, "cycles"),
        ("store_ltm", {"expected_version": 10**40 + 1}, "expected_version"),
        *[("crowding", {"day": value}, "day") for value in (datetime(2026, 1, 1), "yesterday", None)],
        ("release", {"reason": 5}, "reason"),
        *[("quarantine", {"reason": value}, "reason") for value in ("", "x" * 501)],
        *[("check_rate_limit", {name: 0}, name) for name in ("limit", "window_seconds")],
        *[
            ("update_ltm_confidence", {"new_confidence": value}, "new_confidence")
            for value in (1.5, None, float("nan"))
        ],
        ("remove_signal", {"signal": float("nan")}, "signal"),
        ("remove_signal", {"signal": {"a": float("inf")}}, "signal/a"),
    ],
)
def test_the_direct_path_and_http_name_the_same_field(objects, method, arguments, field):
    usable = (LOG | QUERIES | MEMORY).get(method, ({},))[0]
    defaults = {"update_ltm_confidence": {"pattern_id": "p"}}.get(method, usable)
    for path in ("direct" if method in LOG | QUERIES else "memory", "http"):
        with pytest.raises(InvalidInput) as refused:
            getattr(objects[path], method)(**{**defaults, **arguments})
        assert refused.value.field == field


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
