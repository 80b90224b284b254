"""`python -m benchmarks.reads`: what queries of many decisions read, and the CPU time that they take."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from agent_memory.core.clock import DAY_MS, FixedClock, date_of
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import REGISTRATION, decision_pk, rollup_state_type
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.decisions.rollup_data import rollup_data
from agent_memory.decisions.rollups import Rollup
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.storage.dynamodb.answers import take_items_from_json
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.dynamodb.items import Item, decision_item, document_attributes, outcome_attributes
from agent_memory.storage.dynamodb.states import DynamoDBStates
from agent_memory.storage.factory import in_memory_stores
from benchmarks.example_decision import EXAMPLE
from benchmarks.prepared_dynamodb import PreparedDynamoDB, PreparedPartition, Served
from benchmarks.tables import Row, print_table

AGENT_ID = "reader"
NOW_MS = 1_795_176_000_000
_TYPE = "SOURCE_SELECTION"
_ONE_IN = 1_000
_DAYS = 80
_SOURCES = ("whaleMovements", "derivatives", "institutional", "news", "technical")
_TRENDS, _VOLATILITIES = ("bullish", "bearish", "sideways"), ("high", "low")


def decisions(count: int, *, days: int = _DAYS) -> Iterator[Decision]:
    """So many decisions like the example in so many days, oldest first; one in a thousand has a rare symbol."""
    chance = random.Random(count)  # noqa: S311  no secret
    step_ms = days * DAY_MS // count
    for n in range(count):
        at_ms = NOW_MS - step_ms * (count - n)
        context = {
            **EXAMPLE["context"],
            "market": {"trend": chance.choice(_TRENDS), "volatility": chance.choice(_VOLATILITIES)},
            "cycle": n,
            "symbol": "RARE" if n % _ONE_IN == 0 else "BTC",
        }
        reasoning = {**EXAMPLE["reasoning"], "selected": chance.sample(_SOURCES, 2)}
        details = {"signals_generated": 2, "quality_score": chance.randrange(100) / 100}
        outcome = Outcome(chance.random() < 0.6, details, {"latency_ms": chance.randrange(200, 2_000)}, at_ms + 60_000)  # noqa: PLR2004
        decision_id = new_decision_id(_TYPE, at_ms)
        yield Decision(
            AGENT_ID, decision_id, _TYPE, at_ms, context, reasoning, EXAMPLE["metadata"], outcome if n % 10 else None
        )


def prepared(count: int) -> PreparedDynamoDB:
    """The tables of an agent with so many decisions, whose days that have ended were counted."""
    items: list[Item] = []
    rollups: dict[str, Rollup] = {}
    for one in decisions(count):
        items.append(decision_item(one) | outcome_attributes(one))
        day = date_of(one.timestamp_ms)
        if day < date_of(NOW_MS):
            rollups.setdefault(rollup_state_type(day), Rollup()).add(one)
    states = [rollup_item(name, rollup) for name, rollup in rollups.items()]
    registration: Item = {"decision_types": {"SS": [_TYPE]}}
    return PreparedDynamoDB(
        {
            decision_pk(AGENT_ID, _TYPE): PreparedPartition(items, range(0, count, _ONE_IN)),
            AGENT_ID: PreparedPartition(states),
        },
        {REGISTRATION: registration},
    )


def rollup_item(name: str, rollup: Rollup) -> Item:
    """The item of a day's counts, by the name of its state."""
    key: Item = {"pk": {"S": AGENT_ID}, "sk": {"S": name}}
    about: Item = {"version": {"N": "1"}, "last_updated": {"N": "1795176000"}}
    return key | about | document_attributes({"data": rollup_data(rollup)})


def log_over(tables: PreparedDynamoDB) -> DecisionLog:
    """A decision log over prepared tables."""
    clock = FixedClock(NOW_MS)
    client = tables.client()
    take_items_from_json(client)
    stores = replace(
        in_memory_stores(clock),
        decisions=DynamoDBDecisions(client, "reads", clock),
        states=DynamoDBStates(client, "reads"),
        archive=None,
    )
    return DecisionLog(AGENT_ID, stores, clock, max_page_seconds=3_600)


def measure(tables: PreparedDynamoDB, act: Callable[[], Any]) -> tuple[float, Served]:
    """CPU seconds of a call, the first of its kind not counted, and what was served for it."""
    act()
    tables.served = Served()
    started = time.process_time()
    act()
    return time.process_time() - started, tables.served


def query(tables: PreparedDynamoDB, count: int) -> tuple[float, Served]:
    """Measure a query by a part of the context, which one decision in a thousand has."""
    log, expected = log_over(tables), min(-(-count // _ONE_IN), 1_000)

    def act() -> None:
        found = log.page(DecisionFilter(context={"symbol": "RARE"}), limit=1_000)
        if len(found.decisions) != expected or not found.listing.complete:
            raise RuntimeError(f"{len(found.decisions)} decisions, not {expected}")

    return measure(tables, act)


def statistics(tables: PreparedDynamoDB, count: int, *, exact: bool = False) -> tuple[float, Served]:
    """Measure statistics of all decisions."""
    log = log_over(tables)

    def act() -> None:
        found = log.statistics(DecisionFilter(), "source", exact=exact)
        if found["total"]["count"] != count or not found["complete"]:
            raise RuntimeError(f"{found['total']['count']} decisions, not {count}")

    return measure(tables, act)


def rows(count: int) -> Iterator[Row]:
    """A query by a part of the context, and statistics of all decisions."""
    tables = prepared(count)
    name = f"context_filter, 1 of {_ONE_IN:,} matching, {count:,} decisions"
    yield _row(name, query(tables, count), "≤ 2 MB")
    yield _row(f"statistics over {count:,} in {_DAYS} days", statistics(tables, count), "≤ 300 units")
    yield _row("  the same, exact", statistics(tables, count, exact=True), "")


def _row(name: str, measured: tuple[float, Served], goal: str) -> Row:
    seconds, served = measured
    return name, f"{seconds:.3f} s CPU, {served}", goal


def main() -> None:
    """Print the rows."""
    print_table("Reads of many decisions", [*rows(10_000), *rows(100_000)], width=140)


if __name__ == "__main__":
    main()
