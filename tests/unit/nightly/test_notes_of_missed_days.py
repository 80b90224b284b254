"""After days without a job, what is recorded while machines have read decisions in parts is learned, too."""

from dataclasses import replace
from datetime import date, timedelta

from agent_memory.core.clock import HOUR_MS, FixedClock, Span, day_start_ms
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.listings import raise_error
from agent_memory.nightly.consolidation import consolidate, parts_of_job
from agent_memory.nightly.late_outcomes import noted_outcomes
from agent_memory.nightly.reading import read_part
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.parquet.evidence import ParquetEvidence

AGENT = "hunter"
FIRST = date(2026, 3, 1)


def start_of(n):
    return day_start_ms(FIRST + timedelta(days=n))


def test_outcomes_recorded_after_parts_were_read_reach_the_evidence():
    clock = FixedClock(start_of(0))
    stores = in_memory_stores(clock)
    stores = replace(stores, evidence=ParquetEvidence(stores.blobs, rows_per_part=3))
    log = DecisionLog(AGENT, stores, clock)
    ids = {}

    def log_day(n):
        clock.advance(start_of(n) + 20 * HOUR_MS - clock.now_ms())
        for hour in range(4):
            ids[n, hour] = new_decision_id("QUERY", start_of(n) + hour * HOUR_MS)
            fields = {"decision_type": "QUERY", "context": {"a": hour % 2}, "reasoning": {}}
            log.log_one({**fields, "decision_id": ids[n, hour]})

    for n in range(2):
        log_day(n)
    clock.advance(6 * HOUR_MS)
    consolidate(AGENT, FIRST + timedelta(days=1), stores)
    for n in range(2, 7):  # the jobs of days 2 to 5 are missed
        log_day(n)
    clock.advance(start_of(7) + 2 * HOUR_MS - clock.now_ms())
    day = FIRST + timedelta(days=6)
    parts = parts_of_job(AGENT, day, stores, most=3)
    assert len(parts) > 1
    for one in parts:
        read_part(one, stores, raise_error)
    late = [ids[n, 3] for n in (0, 2, 3, 4, 5)]
    log.record_outcomes([{"decision_id": one, "success": True, "outcome": {}} for one in late])
    clock.advance(2 * HOUR_MS)
    consolidate(AGENT, day, stores, parts=parts)
    known = {row.decision_id: row.success for row in stores.evidence.read(AGENT, Span(0, 2**52))}
    assert [known.get(one) for one in late] == [True] * 5
    assert noted_outcomes(stores.states, AGENT) == []
