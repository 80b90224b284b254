"""What each call of the decision log asks of DynamoDB, in requests, rounds and capacity units."""

from collections.abc import Callable, Iterator
from typing import Any

from agent_memory.core.clock import SystemClock
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.ports.stores import Stores
from benchmarks.meter import Measured, Meter
from benchmarks.sample import EXAMPLE, OUTCOME

AGENT_ID = "metered"
CONTEXT_TYPE = "trend=bullish|volatility=high"
_DELAY_SECONDS = 0.05
_CHAIN = 11
_HISTORY = 240


def measure(stores: Stores, client: Any) -> dict[str, Measured]:
    """Each call by name, for the example decision, on tables that hold a few hundred of them."""
    log = DecisionLog(AGENT_ID, stores)
    now_ms = SystemClock().now_ms()
    _write_history(log, now_ms)
    chain = _chain(log, now_ms)
    log.log_one(EXAMPLE)  # the agent is registered now
    meter = Meter(client, _DELAY_SECONDS)
    measured: dict[str, Measured] = {}

    def call(name: str, act: Callable[[], Any]) -> Any:
        with meter.measuring() as measured[name]:
            return act()

    made = call("log_decision", lambda: log.log_one(EXAMPLE)).decision_id
    call("log_outcome", lambda: log.record_outcome({**OUTCOME, "decision_id": made}))
    call("log_outcome, the same again", lambda: log.record_outcome({**OUTCOME, "decision_id": made}))
    call("log_outcome, a second horizon", lambda: log.record_outcome({**_other("1h"), "decision_id": made}))
    call("log_outcome, amended", lambda: log.record_outcome({**_other("1h", 3), "decision_id": made, "amend": True}))
    call("get_decision", lambda: log.get(made))
    call("log_decision with a parent", lambda: log.log_one({**EXAMPLE, "parent_ids": [made]}))
    batch = call("log_decisions, 25", lambda: log.log([EXAMPLE] * 25))
    reports = [{**OUTCOME, "decision_id": one.decision_id} for one in batch]
    call("log_outcomes, 25", lambda: log.record_outcomes(reports))
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
    """Decisions with outcomes, one a minute up to an hour ago."""
    ids = [new_decision_id("SOURCE_SELECTION", now_ms - 3_600_000 - 60_000 * n) for n in range(_HISTORY)]
    log.log([{**EXAMPLE, "decision_id": one} for one in ids])
    log.record_outcomes([{**OUTCOME, "decision_id": one} for one in ids])


def _chain(log: DecisionLog, now_ms: int) -> list[str]:
    """Decisions that each led to the next, 24 minutes apart among the others."""
    made: list[str] = []
    for n in range(_CHAIN):
        decision_id = new_decision_id("SOURCE_SELECTION", now_ms - 3_600_000 - (_CHAIN - n) * 1_440_000 + 500)
        log.log_one({**EXAMPLE, "decision_id": decision_id, "parent_ids": made[-1:]})
        made.append(decision_id)
    return made


def rows(measured: dict[str, Measured]) -> Iterator[tuple[str, str, str]]:
    """The measurements as rows of the benchmark's table; goals are those that a test holds."""
    for name, one in measured.items():
        units = f"{one.write_units:g} write" if one.write_units else f"{one.read_units:g} read"
        asked = f"{_counted(one.requests, 'request')}, {_counted(one.rounds, 'round')}, {units} units"
        yield name, asked, GOALS.get(name, "")
    life = measured["log_decision"].write_units + measured["log_outcome"].write_units
    yield "log and outcome together", f"{life:g} write units", "≤ 5"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


GOALS = {
    "log_decision": "1 request",
    "log_outcome": "1 request",
    "get_decision": "1 request",
    "log_decisions, 25": "1 request",
    "query, page of 100 by outcome": "≤ 2 requests",
    "query, page of 100 by context": "≤ 2 requests",
    "get_decision_chain, depth 5": "≤ 2 rounds",
}
