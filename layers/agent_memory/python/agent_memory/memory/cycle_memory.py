"""What an agent keeps from cycle to cycle, in one round trip for its writes and one for its reads.

stm:{agent}:context:current               the market now            JSON         1 hour
stm:{agent}:queries:recent                the last ten cycles'      list        24 hours
stm:{agent}:signals:active                by time                   sorted set   4 hours
stm:{agent}:ratelimit:{source}            queries of a source       counter      5 minutes
stm:{agent}:performance:{source}:{market} how a source does there   JSON        15 minutes
stm:{agent}:decision_chain                the latest decisions      list         2 hours
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Clock, Instant, parse_instant
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.json_values import check_json
from agent_memory.core.keys import STM_CONTEXT, STM_DECISIONS, STM_QUERIES, STM_RATE_LIMITS, STM_SIGNALS
from agent_memory.core.retention import (
    CHAINED_DECISIONS,
    CONTEXT_SECONDS,
    DECISION_CHAIN_SECONDS,
    PERFORMANCE_SECONDS,
    QUERIES_SECONDS,
    RATE_LIMIT_SECONDS,
    RECENT_CYCLES,
    SIGNALS_SECONDS,
    STM_MAX_SECONDS,
)
from agent_memory.memory.cycles import Cycle, CycleSnapshot, RateLimit, check_list
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.ports.short_term import (
    AddScored,
    Command,
    CountInWindow,
    GetValue,
    ListScored,
    ListValues,
    PushValues,
    RemoveScored,
    SetValue,
)

_MAX_LIMIT = 1_000_000


class CycleMemory:
    """The typed part of one agent's short-term memory. Every method blocks."""

    def __init__(self, short_term: ShortTermMemory, clock: Clock) -> None:
        self._short_term = short_term
        self._clock = clock
        self._own_windows = _OwnWindows()

    def write(self, cycle: Cycle) -> None:
        """Keep what a cycle brought, in one round trip. Once more under the same `cycle_id` changes nothing.

        Raises:
            InvalidInput: a source or market that cannot be part of a key. Unavailable: the cache did not respond;
                nothing was kept.
        """
        key, now = self._short_term.key, self._clock.now_ms() / 1000
        commands: list[Command] = []
        if cycle.context is not None:
            commands.append(SetValue(key(STM_CONTEXT), cycle.context, CONTEXT_SECONDS))
        if cycle.queries:
            results = {"cycle": cycle.cycle_id, "results": list(cycle.queries)}
            commands.append(PushValues(key(STM_QUERIES), (results,), RECENT_CYCLES, QUERIES_SECONDS))
        commands += [AddScored(key(STM_SIGNALS), signal, now, SIGNALS_SECONDS) for signal in cycle.signals]
        commands += [
            SetValue(key(_performance(source, market)), figures, PERFORMANCE_SECONDS)
            for source, markets in (cycle.performance or {}).items()
            for market, figures in markets.items()
        ]
        if cycle.decision_ids:
            chain = tuple(cycle.decision_ids)
            commands.append(PushValues(key(STM_DECISIONS), chain, CHAINED_DECISIONS, DECISION_CHAIN_SECONDS))
        if commands:
            self._short_term.run(commands)

    def read(
        self,
        *,
        cycles: int = RECENT_CYCLES,
        signals_since: Instant | None = None,
        performance: Mapping[str, Sequence[str]] | None = None,
    ) -> CycleSnapshot:
        """What the last cycles left, in one round trip.

        Args:
            cycles: of how many cycles the queries are wanted, 1 to 10.
            signals_since: signals from this moment on; left out, all that are active.
            performance: the markets, by source, whose figures are wanted.

        Raises:
            InvalidInput: names what is unusable.
        """
        check_integer("cycles", cycles, minimum=1, maximum=RECENT_CYCLES)
        key = self._short_term.key
        since = float("-inf") if signals_since is None else parse_instant(signals_since, "signals_since") / 1000
        wanted = _wanted(performance)
        commands: list[Command] = [
            GetValue(key(STM_CONTEXT)),
            ListValues(key(STM_QUERIES), cycles),
            ListScored(key(STM_SIGNALS), since),
            ListValues(key(STM_DECISIONS), CHAINED_DECISIONS),
            *(GetValue(key(_performance(source, market))) for source, market in wanted),
        ]
        try:
            context, queries, signals, decision_ids, *figures = self._short_term.run(commands)
        except Unavailable:
            return CycleSnapshot(missing=["context", "queries", "signals", "decision_ids", "performance"])
        oldest = (self._clock.now_ms() / 1000) - SIGNALS_SECONDS  # the set as a whole lives as long as its newest
        found: dict[str, dict[str, Any]] = {}
        for (source, market), known in zip(wanted, figures, strict=True):
            if known is not None:
                found.setdefault(source, {})[market] = known
        active = [signal for signal, score in signals if score > oldest]
        return CycleSnapshot(context, [one["results"] for one in queries], active, decision_ids, found)

    def remove_signal(self, signal: Any) -> bool:
        """Take a signal out of the active ones; whether it was among them. `Unavailable`: the cache did not respond."""
        check_json(signal, "signal")
        (removed,) = self._short_term.run([RemoveScored(self._short_term.key(STM_SIGNALS), signal)])
        return bool(removed)

    def take(self, source_id: str, limit: int, window_seconds: int = RATE_LIMIT_SECONDS) -> RateLimit:
        """Count one query of a source, and say whether it may go out: never more than `limit` in a window.

        The window begins with its first query. While the cache is away each process counts for itself.

        Raises:
            InvalidInput: names what is unusable.
        """
        check_integer("limit", limit, minimum=1, maximum=_MAX_LIMIT)
        check_integer("window_seconds", window_seconds, minimum=1, maximum=STM_MAX_SECONDS)
        command = CountInWindow(self._short_term.key(f"{STM_RATE_LIMITS}{source_id}"), window_seconds)
        # Counted here as well, so that a process which loses the cache amid a window goes on from its own count.
        count, left_ms = self._own_windows.count_up(source_id, window_seconds * 1000, self._clock.now_ms())
        try:
            ((count, left_ms),) = self._short_term.run([command])
            is_shared = True
        except Unavailable:
            is_shared = False
        return RateLimit(count <= limit, max(0, limit - count), left_ms / 1000, is_shared)


class _OwnWindows:
    """This process's own counts of queries, for while the cache is away."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def count_up(self, source_id: str, window_ms: int, now_ms: int) -> tuple[int, int]:
        """Count one more query of a source: the count, and the milliseconds until its window ends."""
        with self._lock:
            self._windows = {name: one for name, one in self._windows.items() if one[1] > now_ms}
            count, ends_ms = self._windows.get(source_id, (0, now_ms + window_ms))
            self._windows[source_id] = (count + 1, ends_ms)
            return count + 1, ends_ms - now_ms


def _wanted(performance: Mapping[str, Sequence[str]] | None) -> list[tuple[str, str]]:
    if performance is not None and not isinstance(performance, Mapping):
        raise InvalidInput("performance", f"expected a JSON object, got {type(performance).__name__}")
    for source, markets in (performance or {}).items():
        check_list(markets, f"performance/{source}")
    return [(source, market) for source, markets in (performance or {}).items() for market in markets]


def _performance(source: str, market: str) -> str:
    return f"performance:{source}:{market}"
