"""Queries sources in order of their priority, and falls back on the next one where a source does not answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_memory import Unavailable

Result = dict[str, Any]
"""The answer of a source: `source`, and `reading` from -1 to 1, or None if it has no opinion."""

RATE_LIMIT = "rate limit"
"""Why a source was not queried."""


@dataclass(slots=True)
class Answers:
    """What the sources answered.

    Attributes:
        order: all sources in order of their priority.
        results: one for each source that answered, in this order.
        used: the sources whose signals are acted on: the selected ones, or those that replace them.
        failed: why a source did not answer.
    """

    order: Sequence[str]
    results: list[Result] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def readings(self) -> dict[str, float | None]:
        """The reading of each source that answered."""
        return {one["source"]: one["reading"] for one in self.results}

    @property
    def used_results(self) -> list[Result]:
        """The results that are acted on."""
        return [one for one in self.results if one["source"] in self.used]

    @property
    def queried(self) -> list[str]:
        """The sources to which a query was sent, whether they answered or not."""
        answered = self.readings
        return [one for one in self.order if one in answered or self.failed.get(one, RATE_LIMIT) != RATE_LIMIT]


async def ask_sources(
    order: Sequence[str],
    count: int,
    query: Callable[[str], Awaitable[Result]],
    *,
    asks_all: bool,
    may_query: Callable[[str], Awaitable[bool]],
) -> Answers:
    """Query sources until `count` of them have answered, or all of them.

    The first `count` that answer are used. A source that its rate limit excludes, or that raises `Unavailable` or an
    `OSError` such as a timeout, is replaced by the next one in the order. Other errors are the caller's.

    Args:
        order: all sources, the selected ones first.
        count: number of selected sources.
        query: asks one source.
        asks_all: whether to go on when enough have answered.
        may_query: whether the rate limit of a source permits another query, which it counts.
    """
    answers = Answers(order)
    for source in order:
        if len(answers.used) == count and not asks_all:
            break
        if not await may_query(source):
            answers.failed[source] = RATE_LIMIT
            continue
        try:
            result = await query(source)
        except (Unavailable, OSError) as error:
            answers.failed[source] = f"{type(error).__name__}: {error}"
            continue
        answers.results.append(result)
        if len(answers.used) < count:
            answers.used.append(source)
    return answers
