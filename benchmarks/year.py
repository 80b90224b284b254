"""`python -m benchmarks.year`: statistics over a million decisions of a year, whose older days are in the archive.

The days that have ended are counted, the ones over 88 days ago are archived, and the last one is in the table.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import groupby

from agent_memory.core.clock import DAY_MS, FixedClock, date_of
from agent_memory.core.keys import REGISTRATION, decision_pk, rollup_state_type
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.decisions.rollups import Rollup
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.answers import take_items_from_json
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.dynamodb.items import Item, decision_item, outcome_attributes
from agent_memory.storage.dynamodb.states import DynamoDBStates
from agent_memory.storage.factory import in_memory_stores
from benchmarks.prepared_dynamodb import PreparedDynamoDB, PreparedPartition, Served
from benchmarks.reads import AGENT_ID, NOW_MS, decisions, rollup_item
from benchmarks.tables import print_table

COUNT, DAYS = 1_000_000, 365
_TYPE = "SOURCE_SELECTION"


def measure(count: int = COUNT, days: int = DAYS) -> tuple[float, float, Served]:
    """Seconds of CPU time, seconds that passed, and what was served, for statistics by source of a complete year."""
    clock = FixedClock(NOW_MS)
    stores = in_memory_stores(clock)
    archive = stores.bucket().archive
    hot_from = date_of(NOW_MS - HOT_DAYS * DAY_MS)
    today = date_of(NOW_MS)
    rollups: list[Item] = []
    open_day: list[Item] = []
    for day, of_day in _days(count, days):
        if day >= today:
            open_day += [decision_item(one) | outcome_attributes(one) for one in of_day]
            continue
        rollup = Rollup()
        for one in of_day:
            rollup.add(one)
        rollups.append(rollup_item(rollup_state_type(day), rollup))
        if day < hot_from:
            archive.write_file(AGENT_ID, day, archive.pack(of_day), replaced=None)
    tables = PreparedDynamoDB(
        {decision_pk(AGENT_ID, _TYPE): PreparedPartition(open_day), AGENT_ID: PreparedPartition(rollups)},
        {REGISTRATION: {"decision_types": {"SS": [_TYPE]}}},
    )
    client = tables.client()
    take_items_from_json(client)
    stores = replace(stores, decisions=DynamoDBDecisions(client, "year", clock), states=DynamoDBStates(client, "year"))
    log = DecisionLog(AGENT_ID, stores, clock, max_page_seconds=3_600)
    log.statistics(DecisionFilter(), "source")
    tables.served = Served()
    cpu, passed = time.process_time(), time.perf_counter()
    found = log.statistics(DecisionFilter(), "source")
    cpu, passed = time.process_time() - cpu, time.perf_counter() - passed
    if found["total"]["count"] != count or not found["complete"]:
        raise RuntimeError(f"{found['total']['count']} decisions, not {count}")
    return cpu, passed, tables.served


def _days(count: int, days: int) -> Iterator[tuple[date, list[Decision]]]:
    """The decisions of each day, one day at a time in memory."""
    by_day = groupby(decisions(count, days=days), key=lambda one: date_of(one.timestamp_ms))
    return ((day, list(of_day)) for day, of_day in by_day)


def main() -> None:
    """Print the figures."""
    cpu, passed, served = measure()
    figures = f"{cpu:.2f} s CPU, {passed:.2f} s; {served}"
    print_table("Statistics of a year", [(f"{COUNT:,} decisions in {DAYS} days", figures, "≤ 2 s")])


if __name__ == "__main__":
    main()
