"""The public methods of analytics over HTTP, asynchronous and synchronous.

`MemoryAnalytics` has them too, and those that need NumPy and SciPy: whether patterns forecast, and the whole report.
"""

from typing import Any

from agent_memory.client.backends import AnalyticsBackend
from agent_memory.client.executor import in_thread
from agent_memory.client.facade import AsyncFacade, SyncFacade
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.decisions.queries import TimeRange
from agent_memory.model.listings import Listing

_EMERGING = "emerging"


class AsyncAnalytics(AsyncFacade):
    """Analytics of an agent, asynchronous."""

    _analytics: AnalyticsBackend

    async def get_performance(self, time_range: TimeRange | None = None) -> dict[str, Any]:
        """Counts and success rates of a time range, (start, end) without the end; by default of everything.

        Returns:
            The numbers of `decisions` and of those `with_outcome`; the lists `by_type`, `by_day`, `by_context`,
            `by_source` (decisions that were judged by what came of them) and `by_selection` (decisions that only chose
            a source), each row with its `decision_type`, `success_rate`, and `low` and `high`, a 95 % Wilson interval;
            `complete`, `missing` and `cursor`, as in a listing.

        Raises:
            InvalidInput: names the argument. Unavailable: the API or a store did not respond.
        """
        return await in_thread(self._analytics.performance, time_range)

    async def get_success_rate_by_context(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """Success rate with its 95 % Wilson interval for each market context and decision type."""
        return _contexts(await self.get_performance(time_range))

    async def get_source_effectiveness(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """How often each source was right, the best first; see `PerformanceCounts.sources`."""
        return _sources(await self.get_performance(time_range))

    async def get_patterns(self, status: str | None = None, min_occurrences: int = 0) -> Listing[dict[str, Any]]:
        """The agent's own patterns with their figures, active ones first, then the most confident.

        `status` is `active`, `emerging` or `deprecated`; by default all. The reads are not counted.
        """
        return await in_thread(self._analytics.patterns, status=status, min_occurrences=min_occurrences)

    async def get_pattern_confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every version of a pattern, oldest first: its confidence, and the success rate that it rests on."""
        return await in_thread(self._analytics.confidence_trend, pattern_id)

    async def identify_emerging_patterns(self, min_occurrences: int = 5) -> Listing[dict[str, Any]]:
        """Patterns that the last nightly job found, and that later decisions have not confirmed yet."""
        return await self.get_patterns(_EMERGING, min_occurrences)


class SyncAnalytics(SyncFacade):
    """Analytics of an agent, synchronous; the methods are those of `AsyncAnalytics`."""

    _analytics: AnalyticsBackend

    def get_performance(self, time_range: TimeRange | None = None) -> dict[str, Any]:
        """Counts and success rates of a time range; see `AsyncAnalytics.get_performance`."""
        return self._analytics.performance(time_range)

    def get_success_rate_by_context(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """Success rate of each market context and decision type; see `AsyncAnalytics.get_success_rate_by_context`."""
        return _contexts(self.get_performance(time_range))

    def get_source_effectiveness(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """How often each source was right; see `AsyncAnalytics.get_source_effectiveness`."""
        return _sources(self.get_performance(time_range))

    def get_patterns(self, status: str | None = None, min_occurrences: int = 0) -> Listing[dict[str, Any]]:
        """The agent's own patterns; see `AsyncAnalytics.get_patterns`."""
        return self._analytics.patterns(status=status, min_occurrences=min_occurrences)

    def get_pattern_confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every version of a pattern; see `AsyncAnalytics.get_pattern_confidence_trend`."""
        return self._analytics.confidence_trend(pattern_id)

    def identify_emerging_patterns(self, min_occurrences: int = 5) -> Listing[dict[str, Any]]:
        """Patterns that are not confirmed yet; see `AsyncAnalytics.identify_emerging_patterns`."""
        return self.get_patterns(_EMERGING, min_occurrences)


def _contexts(performance: dict[str, Any]) -> Listing[dict[str, Any]]:
    return Listing(performance["by_context"], performance["missing"], performance["cursor"])


def _sources(performance: dict[str, Any]) -> Listing[dict[str, Any]]:
    rows = PerformanceCounts().add_rows(performance).sources()
    return Listing(rows, performance["missing"], performance["cursor"])
