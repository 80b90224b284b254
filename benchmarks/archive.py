"""`python -m benchmarks.archive`: the share of an archived day of 100,000 decisions that is read by a query."""

import time
from collections.abc import Iterator
from datetime import date
from random import Random

from agent_memory.core.clock import DAY_MS, HOUR_MS, Span, day_start_ms
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import archive_file_key
from agent_memory.model.decisions import Decision, DecisionType, Outcome
from agent_memory.ports.blobs import ByteRange
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from benchmarks.tables import Row, print_table

_DECISIONS = 100_000
_SAMPLED = 20
_AGENT, _DAY = "market-hunter", date(2026, 11, 20)


class CountingBlobs(InMemoryBlobs):
    """Objects in memory that count the requests and bytes read."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.bytes = 0

    def read(self, key: str) -> bytes | None:
        """The object, or None if there is none."""
        body = super().read(key)
        self._count(len(body or b""))
        return body

    def read_range(self, key: str, start: int, end: int | None = None) -> ByteRange | None:
        """A range of bytes of the object."""
        part = super().read_range(key, start, end)
        self._count(len(part.body) if part else 0)
        return part

    def reset(self) -> None:
        """Reset the counts to zero."""
        self.requests = self.bytes = 0

    def _count(self, size: int) -> None:
        self.requests += 1
        self.bytes += size


def rows() -> Iterator[Row]:
    """Requests, bytes and time; objects are in memory, so that no network is measured."""
    blobs = CountingBlobs()
    archive = ParquetArchive(blobs)
    generator = Random(1)  # noqa: S311  not a secret
    decisions = [_decision(n, generator) for n in range(_DECISIONS)]
    packed = archive.pack(decisions)
    archive.write_file(_AGENT, _DAY, packed, replaced=None)
    size = len(blobs.read(archive_file_key(_AGENT, _DAY)) or b"")
    yield "the day's file", f"{size:,} bytes, {size / _DECISIONS:.0f} per decision", ""
    max_bytes, max_requests, seconds = 0, 0, 0.0
    for one in generator.sample(decisions, _SAMPLED):
        blobs.reset()
        began = time.perf_counter()
        assert archive.get(_AGENT, _DAY, [one.key]) == [one]  # noqa: S101  only correct answers are measured
        seconds += time.perf_counter() - began
        max_bytes, max_requests = max(max_bytes, blobs.bytes), max(max_requests, blobs.requests)
    result = f"{max_bytes:,} bytes, {max_bytes / size:.1%}, {max_requests} requests"
    yield f"one decision, maximum of {_SAMPLED}", result, "≤ 5%"
    yield "  time, mean", f"{seconds / _SAMPLED * 1000:.0f} ms", ""
    start = day_start_ms(_DAY)
    for name, span, types in (
        ("an hour", HOUR_MS, None),
        ("an hour of one type", HOUR_MS, ["QUERY"]),
        ("a day of one type", DAY_MS, ["QUERY"]),
        ("the entire day", DAY_MS, None),
    ):
        blobs.reset()
        began = time.perf_counter()
        found = len(archive.read_day(_AGENT, _DAY, Span(start, start + span), types))
        seconds = time.perf_counter() - began
        yield f"{name}, {found:,} decisions", f"{blobs.bytes:,} bytes, {blobs.bytes / size:.1%}, {seconds:.2f} s", ""


def _decision(n: int, generator: Random) -> Decision:
    kind = list(DecisionType)[n % len(DecisionType)]
    at_ms = day_start_ms(_DAY) + n * DAY_MS // _DECISIONS
    market = {
        "trend": generator.choice(["bullish", "bearish"]),
        "volatility": generator.choice(["low", "normal", "high"]),
    }
    scores = {name: round(generator.random(), 6) for name in ("whaleMovements", "orderBook", "sentiment")}
    success = generator.random() < 0.5  # noqa: PLR2004  a coin flip
    return Decision(
        agent_id=_AGENT,
        decision_id=new_decision_id(kind, at_ms),
        decision_type=kind,
        timestamp_ms=at_ms,
        context={"market": market, "cycle": n},
        reasoning={"scores": scores, "selected": max(scores, key=lambda name: scores[name])},
        outcome=Outcome(
            success, {"move": round(generator.gauss(0, 1), 4)}, {"latency_ms": generator.randrange(500)}, at_ms
        ),
    )


if __name__ == "__main__":
    print_table(f"Reading an archived day of {_DECISIONS:,} decisions of four types", rows())
