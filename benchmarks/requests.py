"""Requests, rounds and capacity units of each call of the decision log."""

from collections.abc import Callable, Iterator
from typing import Any

from agent_memory.core.clock import SystemClock
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.ports.stores import Stores
from benchmarks.capacity_meter import CapacityMeter, ConsumedCapacity
from benchmarks.example_decision import EXAMPLE, OUTCOME
from benchmarks.tables import Row

AGENT_ID = "metered"
CONTEXT_TYPE = "trend=bullish|volatility=high"
_DELAY_SECONDS = 0.05
_CHAIN = 11
_HISTORY = 240


def measure(stores: Stores, client: Any) -> dict[str, ConsumedCapacity]:
    """Measure each call, by name, with the example decision, on tables that hold a few hundred decisions."""
    log = DecisionLog(AGENT_ID, stores)
    now_ms = SystemClock().now_ms()
    _write_history(log, now_ms)
    chain = _chain(log, now_ms)
    log.log_one(EXAMPLE)  # registers the agent
    meter = CapacityMeter(client, _DELAY_SECONDS)
    measured: dict[str, ConsumedCapacity] = {}

    def call(name: str, act: Callable[[], Any]) -> Any:
        with meter.measuring() as measured[name]:
            return act()

    decision_id = call("log_decision", lambda: log.log_one(EXAMPLE)).decision_id
    call("log_outcome", lambda: log.record_outcome({**OUTCOME, "decision_id": decision_id}))
    call("log_outcome, the same again", lambda: log.record_outcome({**OUTCOME, "decision_id": decision_id}))
    call("log_outcome, a second horizon", lambda: log.record_outcome({**_other("1h"), "decision_id": decision_id}))
    call(
        "log_outcome, amended",
        lambda: log.record_outcome({**_other("1h", 3), "decision_id": decision_id, "amend": True}),
    )
    call("get_decision", lambda: log.get(decision_id))
    call("log_decision with a parent", lambda: log.log_one({**EXAMPLE, "parent_ids": [decision_id]}))
    batch = call("log_decisions, 25", lambda: log.log([EXAMPLE] * 25))
    outcomes = [{**OUTCOME, "decision_id": one.decision_id} for one in batch]
    call("log_outcomes, 25", lambda: log.record_outcomes(outcomes))
    call("query, a process's first in a minute", lambda: log.page(DecisionFilter(success=True), limit=1))
    call("query, page of 100 by outcome", lambda: log.page(DecisionFilter(success=True), limit=100))
    call("query, page of 100 by context", lambda: log.page(DecisionFilter(context_type=CONTEXT_TYPE), limit=100))
    call("query, page of 100 by type", lambda: log.page(DecisionFilter("SOURCE_SELECTION"), limit=100))
    call("query, 10 newest of all types", lambda: log.page(DecisionFilter(), limit=10))
    call("get_decision_chain, depth 5", lambda: log.chain(chain[len(chain) // 2], 5))
    call("get_decision_chain, depth 5, another process", lambda: DecisionLog(AGENT_ID, stores).chain(chain[-1], 5))
    return measured


def _other(horizon: str, generated: int = 2) -> dict[str, Any]:
    return {**OUTCOME, "outcome": {**OUTCOME["outcome"], "signals_generated": generated}, "horizon": horizon}


def _write_history(log: DecisionLog, now_ms: int) -> None:
    """Log decisions with outcomes, one per minute, up to an hour ago."""
    ids = [new_decision_id("SOURCE_SELECTION", now_ms - 3_600_000 - 60_000 * n) for n in range(_HISTORY)]
    log.log([{**EXAMPLE, "decision_id": one} for one in ids])
    log.record_outcomes([{**OUTCOME, "decision_id": one} for one in ids])


def _chain(log: DecisionLog, now_ms: int) -> list[str]:
    """Log a chain of decisions, each the parent of the next, 24 minutes apart among the others."""
    chain: list[str] = []
    for n in range(_CHAIN):
        decision_id = new_decision_id("SOURCE_SELECTION", now_ms - 3_600_000 - (_CHAIN - n) * 1_440_000 + 500)
        log.log_one({**EXAMPLE, "decision_id": decision_id, "parent_ids": chain[-1:]})
        chain.append(decision_id)
    return chain


def rows(measured: dict[str, ConsumedCapacity]) -> Iterator[Row]:
    """The measurements as rows of a table; the goals are asserted by a test."""
    for name, one in measured.items():
        units = f"{one.write_units:g} write" if one.write_units else f"{one.read_units:g} read"
        result = f"{_plural(one.requests, 'request')}, {_plural(one.rounds, 'round')}, {units} units"
        yield name, result, GOALS.get(name, "")
    total = measured["log_decision"].write_units + measured["log_outcome"].write_units
    yield "log and outcome together", f"{total:g} write units", "≤ 5"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


GOALS = {
    "log_decision": "1 request",
    "log_outcome": "1 request",
    "get_decision": "1 request",
    "log_decisions, 25": "1 request",
    "query, page of 100 by outcome": "≤ 3 requests",
    "query, page of 100 by context": "≤ 3 requests",
    "get_decision_chain, depth 5": "≤ 2 rounds",
}
