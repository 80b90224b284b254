"""`python -m benchmarks.busy_nightly [DECISIONS]`: the nightly job of a day with 600,000 decisions in one hour.

Its decisions are read in parts of 200,000, each by a call of its own, so that the longest path is that of one part and
of the call that learns from all of them. Each step is measured here as the processor time of the function that takes
it: DynamoDB answers at once, and the bucket is in memory. Nothing is known of the agent before, so that the evidence of
the day is written, and searched, for the first time. Counting the day and archiving it are not measured.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice

from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, Span, date_of
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import REGISTRATION, decision_pk
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import raise_error
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.reading import Part, read_part
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART
from agent_memory.ports.stores import Stores
from agent_memory.storage.dynamodb.answers import take_items_from_json
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.dynamodb.items import decision_item, outcome_attributes
from agent_memory.storage.factory import in_memory_stores
from benchmarks.prepared_dynamodb import PreparedDynamoDB, PreparedPartition
from benchmarks.reads import AGENT_ID, NOW_MS, decisions
from benchmarks.tables import print_table

COUNT = 600_000
_TYPE = "SOURCE_SELECTION"
_DAY = date_of(NOW_MS) - timedelta(days=1)
_HOUR = Span(NOW_MS // DAY_MS * DAY_MS - HOUR_MS, NOW_MS // DAY_MS * DAY_MS)


@dataclass(frozen=True, slots=True)
class JobSeconds:
    """Seconds of processor time of the calls of a nightly job.

    Attributes:
        read: of each call that reads a part.
        learn: of the call that learns from all parts.
    """

    read: tuple[float, ...]
    learn: float

    @property
    def longest_path(self) -> float:
        """Parts are read at the same time."""
        return max(self.read) + self.learn


def measure(count: int = COUNT) -> JobSeconds:
    """The job of a day with so many decisions in its last hour."""
    stores = in_memory_stores(FixedClock(NOW_MS))
    stores.states.register(AGENT_ID, [_TYPE], 1, NOW_MS)
    step_ms = (_HOUR.end_ms - _HOUR.start_ms) / count
    made = (_moved(one, _HOUR.start_ms + int(n * step_ms)) for n, one in enumerate(decisions(count)))
    parts: list[Part] = []
    seconds: list[float] = []
    for first in range(0, count, DEFAULT_ROWS_PER_PART):
        size = min(DEFAULT_ROWS_PER_PART, count - first)
        start_ms, end_ms = (_HOUR.start_ms + int(n * step_ms) for n in (first, first + size))
        part = Part(AGENT_ID, _DAY, Span(start_ms, end_ms))
        seconds.append(_read(part, stores, islice(made, size)))
        parts.append(part)
    learning = _over_dynamodb(stores, iter(()))
    learn = _seconds_of(partial(consolidate, AGENT_ID, _DAY, learning, parts=parts))
    rows = sum(1 for _ in stores.bucket().evidence.read(AGENT_ID, _HOUR))
    if rows != count:
        raise RuntimeError(f"{rows} rows of evidence, not {count}")
    return JobSeconds(tuple(seconds), learn)


def _read(part: Part, stores: Stores, made: Iterator[Decision]) -> float:
    """Read a part; no other part's decisions are in memory."""
    return _seconds_of(partial(read_part, part, _over_dynamodb(stores, made), raise_error))


def _over_dynamodb(stores: Stores, made: Iterator[Decision]) -> Stores:
    """The stores with a table of these decisions, all of one type."""
    items = [decision_item(one) | outcome_attributes(one) for one in made]
    partitions = {decision_pk(AGENT_ID, _TYPE): PreparedPartition(items)} if items else {}
    client = PreparedDynamoDB(partitions, {REGISTRATION: {"decision_types": {"SS": [_TYPE]}}}).client()
    take_items_from_json(client)
    return replace(stores, decisions=DynamoDBDecisions(client, "busy", stores.clock))


def _moved(decision: Decision, at_ms: int) -> Decision:
    """A decision, and its outcome a minute later, at another time."""
    outcome = decision.outcome and replace(decision.outcome, recorded_ms=at_ms + 60_000)
    decision_id = new_decision_id(_TYPE, at_ms)
    return replace(decision, decision_id=decision_id, timestamp_ms=at_ms, outcome=outcome)


def _seconds_of(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main(count: int = COUNT) -> None:
    """Print the figures."""
    job = measure(count)
    read = ", ".join(f"{one:.1f} s" for one in job.read)
    rows = [
        (f"{count:,} decisions read, each part by a call", read, ""),
        ("learned from all parts", f"{job.learn:.1f} s", ""),
        ("longest path", f"{job.longest_path:.1f} s", "≤ 300 s"),
    ]
    print_table("The nightly job after a busy hour, processor time", rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
