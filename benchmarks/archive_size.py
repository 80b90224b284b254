"""Sizes of the demo's decisions as DynamoDB items and in the archive."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import mean

from agent_memory.core.clock import FixedClock, date_of
from agent_memory.core.concurrency import chunks
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.items import decision_item, headline_attributes, item_size
from agent_memory.storage.factory import in_memory_stores
from trading_agents.demo.bars import sample_bars
from trading_agents.demo.cycles import Cycles


@dataclass(frozen=True, slots=True)
class ArchiveSizes:
    """Bytes of the same decisions: as items, archived with one file per day, and archived in a single file.

    `seed_day_bytes` is the mean of a decision in files of as many decisions as the seed's agent makes in a day.
    """

    decisions: int
    item_bytes: int
    archive_bytes: int
    single_file_bytes: int
    seed_day_bytes: float


_BATCH = 100
_CYCLES_PER_DAY = 24
SEED_DECISIONS_PER_DAY = 864
"""25,920 a month."""


def measure_archive_sizes(days: int) -> ArchiveSizes:
    """Log `days`, at least 6, of the demo's hourly decisions with their outcomes, and archive them."""
    decisions = demo_decisions(days)
    by_day: dict[date, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_day[date_of(decision.timestamp_ms)].append(decision)
    archive = in_memory_stores().bucket().archive
    seed_days = [part for part in chunks(decisions, SEED_DECISIONS_PER_DAY) if len(part) == SEED_DECISIONS_PER_DAY]
    return ArchiveSizes(
        decisions=len(decisions),
        item_bytes=sum(map(_item_bytes, decisions)),
        archive_bytes=sum(len(archive.pack(of_day).body) for of_day in by_day.values()),
        single_file_bytes=len(archive.pack(decisions).body),
        seed_day_bytes=mean(len(archive.pack(part).body) for part in seed_days) / SEED_DECISIONS_PER_DAY,
    )


def demo_decisions(days: int) -> list[Decision]:
    """The demo's hourly decisions of some days with their outcomes, as they are read from the log, oldest first."""
    began = datetime(2026, 7, 1, tzinfo=UTC)
    cycles = asyncio.run(Cycles.simulated(sample_bars(), began, days * _CYCLES_PER_DAY + 1))
    clock = FixedClock(int((began + timedelta(days=days, hours=1)).timestamp() * 1000))
    log = DecisionLog(cycles.agent_id, in_memory_stores(clock), clock)
    log_cycles(log, cycles, range(days * _CYCLES_PER_DAY))
    return list(log.stream(DecisionFilter(), newest_first=False))


def log_cycles(log: DecisionLog, cycles: Cycles, which: range) -> None:
    """Log the decisions of some cycles and their outcomes, in batches."""
    for decisions in chunks(cycles.decisions(which), _BATCH):
        log.log(decisions)
    for outcomes in chunks(cycles.outcomes(which), _BATCH):
        log.record_outcomes(outcomes)


def _item_bytes(decision: Decision) -> int:
    item = decision_item(replace(decision, outcome=None))
    if decision.outcome:
        item |= headline_attributes(decision.outcome)
    return item_size(item)
