"""The data that an agent keeps from cycle to cycle, written in one round trip and read in another.

stm:{agent}:context:current               the current market context           JSON         1 hour
stm:{agent}:queries:recent                query results of the last 10 cycles  list        24 hours
stm:{agent}:signals:active                signals, scored by time              sorted set   4 hours
stm:{agent}:ratelimit:{source}            number of queries of a source        counter      5 minutes
stm:{agent}:performance:{source}:{market} figures of a source in a market      JSON        15 minutes
stm:{agent}:decision_chain                ids of the latest decisions          list         2 hours

A `:` in a market is written `%3A` in a key, so that the last `:` separates it from its source.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.core.checks import check_integer, check_list
from agent_memory.core.clock import Clock, Instant, parse_instant
from agent_memory.core.errors import Unavailable, Unreadable
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.ids import check_source
from agent_memory.core.json_values import check_object, plain_json, pointer
from agent_memory.core.keys import (
    STM_CONTEXT,
    STM_DECISIONS,
    STM_QUERIES,
    STM_RATE_LIMITS,
    STM_SIGNALS,
    performance_name,
)
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
from agent_memory.memory.cycles import MAX_RATE_LIMIT, Cycle, CycleSnapshot, RateLimit
from agent_memory.memory.short_term import NEEDS_ATTENTION, ShortTermMemory
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


class CycleMemory:
    """The typed part of one agent's short-term memory. Every method blocks."""

    def __init__(self, short_term: ShortTermMemory, clock: Clock) -> None:
        self._short_term = short_term
        self._clock = clock
        self._local_windows = _LocalWindows()

    def write(self, cycle: Cycle) -> None:
        """Store the data of a cycle in one round trip.

        Repeating it with the same `cycle_id` changes nothing, except that the sources that it `asked` are counted
        again: a repetition allows fewer queries, never more.

        Raises:
            InvalidInput: a name that cannot be part of a key, or a key that has methods of its own. Unavailable: the
                cache did not respond; nothing was stored.
        """
        key = self._short_term.key
        at = (self._clock.now_ms() if cycle.at is None else parse_instant(cycle.at, "at")) / 1000
        commands: list[Command] = []
        if cycle.context is not None:
            commands.append(SetValue(key(STM_CONTEXT), cycle.context, CONTEXT_SECONDS))
        if cycle.queries:
            results = {"cycle": cycle.cycle_id, "results": list(cycle.queries)}
            commands.append(PushValues(key(STM_QUERIES), (results,), RECENT_CYCLES, QUERIES_SECONDS))
        commands += [AddScored(key(STM_SIGNALS), signal, at, SIGNALS_SECONDS) for signal in cycle.signals]
        commands += [
            SetValue(key(performance_name(source, market)), figures, PERFORMANCE_SECONDS)
            for source, markets in (cycle.performance or {}).items()
            for market, figures in markets.items()
        ]
        if cycle.decision_ids:
            chain = tuple(cycle.decision_ids)
            commands.append(PushValues(key(STM_DECISIONS), chain, CHAINED_DECISIONS, DECISION_CHAIN_SECONDS))
        commands += [CountInWindow(key(f"{STM_RATE_LIMITS}{source}"), RATE_LIMIT_SECONDS) for source in cycle.asked]
        commands += [
            self._short_term.put_command(name, value["data"], value["ttl_seconds"])
            for name, value in (cycle.values or {}).items()
        ]
        for source in cycle.asked:  # counted here too, as in `check_rate_limit`
            self._local_windows.increment(source, RATE_LIMIT_SECONDS * 1000, self._clock.now_ms())
        if commands:
            self._short_term.run(commands)

    def read(
        self,
        *,
        cycles: int = RECENT_CYCLES,
        signals_since: Instant | None = None,
        performance: Mapping[str, Sequence[str]] | None = None,
    ) -> CycleSnapshot:
        """Read the data of the last cycles in one round trip.

        Args:
            cycles: the number of cycles whose query results are read, 1 to 10.
            signals_since: read signals from this time on; None for all active ones.
            performance: the markets, by source, whose figures are read.

        Raises:
            InvalidInput: names the argument. Misconfigured: the cache refuses the settings.
        """
        cycles = check_integer("cycles", cycles, minimum=1, maximum=RECENT_CYCLES)
        key = self._short_term.key
        since = float("-inf") if signals_since is None else parse_instant(signals_since, "signals_since") / 1000
        pairs = _source_market_pairs(performance)
        commands: list[Command] = [
            GetValue(key(STM_CONTEXT)),
            ListValues(key(STM_QUERIES), cycles),
            ListScored(key(STM_SIGNALS), since),
            ListValues(key(STM_DECISIONS), CHAINED_DECISIONS),
            *(GetValue(key(performance_name(source, market))) for source, market in pairs),
        ]
        try:
            results = self._short_term.run_each(commands)
        except NEEDS_ATTENTION:
            raise
        except Unavailable:
            return CycleSnapshot(missing=["context", "queries", "signals", "decision_ids", "performance"])
        results[1] = _results_of(results[1], STM_QUERIES)
        names = ["context", "queries", "signals", "decision_ids", *["performance"] * len(pairs)]
        unreadable = {name: one for name, one in zip(names, results, strict=True) if isinstance(one, Unreadable)}
        readable: list[Any] = [None if isinstance(one, Unreadable) else one for one in results]
        context, queries, signals, decision_ids, *figures = readable
        oldest = (self._clock.now_ms() / 1000) - SIGNALS_SECONDS  # the set expires with its newest signal
        by_source: dict[str, dict[str, Any]] = {}
        for (source, market), value in zip(pairs, figures, strict=True):
            if value is not None:
                by_source.setdefault(source, {})[market] = value
        return CycleSnapshot(
            context,
            queries or [],
            [signal for signal, score in signals or [] if score > oldest],
            decision_ids or [],
            by_source,
            missing=list(unreadable),
            unreadable={one.key: one.why for one in results if isinstance(one, Unreadable)},
        )

    def remove_signal(self, signal: Any) -> bool:
        """Remove an active signal; returns whether it was active. Raises `Unavailable` if the cache did not respond."""
        command = RemoveScored(self._short_term.key(STM_SIGNALS), plain_json(signal, "signal"))
        (removed,) = self._short_term.run([command])
        return bool(removed)

    def check_rate_limit(self, source_id: str, limit: int, window_seconds: int = RATE_LIMIT_SECONDS) -> RateLimit:
        """Count one query of a source; it is allowed if there were at most `limit` in the window.

        The window begins with its first query. While the cache does not respond, each process counts its own queries.

        Raises:
            InvalidInput: names the argument. Misconfigured, Unreadable: the cache refuses the settings, or something
            else wrote the counter.
        """
        source_id = check_source(source_id, "source_id")
        limit = check_integer("limit", limit, minimum=1, maximum=MAX_RATE_LIMIT)
        window_seconds = check_integer("window_seconds", window_seconds, minimum=1, maximum=STM_MAX_SECONDS)
        command = CountInWindow(self._short_term.key(f"{STM_RATE_LIMITS}{source_id}"), window_seconds)
        # Counted here too, so that a process that loses the cache during a window continues from its own count.
        count, left_ms = self._local_windows.increment(source_id, window_seconds * 1000, self._clock.now_ms())
        try:
            ((count, left_ms),) = self._short_term.run([command])
            is_shared = True
        except NEEDS_ATTENTION:
            raise
        except Unavailable:
            is_shared = False
        return RateLimit(count <= limit, max(0, limit - count), left_ms / 1000, is_shared)


class _LocalWindows:
    """This process's own counts of queries, used while the cache does not respond."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}
        self._lock = fork_safe_lock()

    def increment(self, source_id: str, window_ms: int, now_ms: int) -> tuple[int, int]:
        """Count one query of a source; returns the count, and the milliseconds until its window ends."""
        with self._lock:
            self._windows = {name: one for name, one in self._windows.items() if one[1] > now_ms}
            count, ends_ms = self._windows.get(source_id, (0, now_ms + window_ms))
            self._windows[source_id] = (count + 1, ends_ms)
            return count + 1, ends_ms - now_ms


def _source_market_pairs(performance: Mapping[str, Sequence[str]] | None) -> list[tuple[str, str]]:
    if performance is None:
        return []
    pairs = []
    for source, markets in check_object("performance", performance).items():
        path = ("performance", source)
        check_source(source, pointer(path))
        for index, market in enumerate(check_list(pointer(path), markets)):
            pairs.append((source, check_source(market, pointer((path, index)))))
    return pairs


def _results_of(cycles: Any, key: str) -> Any:
    """The results of each cycle's queries; `Unreadable` if something else wrote the list."""
    if isinstance(cycles, Unreadable):
        return cycles
    try:
        return [list(one["results"]) for one in cycles]
    except (TypeError, KeyError):
        return Unreadable(key, "it is not a list of cycles")
