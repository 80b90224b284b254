"""What memory advises the market hunter: how often each source is right in the current context."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent_memory import Assignment, DecisionType
from agent_memory.core.option_limits import MAX_OPTION_CHARACTERS, MAX_OPTIONS


@dataclass(frozen=True, slots=True)
class SourceAdvice:
    """Advice about sources.

    Attributes:
        rates: the expected success rate of each source of which the estimates know anything.
        memory_ids: the memories that it comes from.
    """

    rates: Mapping[str, float]
    memory_ids: tuple[str, ...]


NO_ADVICE = SourceAdvice({}, ())


class Adviser(Protocol):
    """What advises the hunter; `MemoryManager` and `AgentMemoryClient` do."""

    async def advise(
        self,
        decision_type: str,
        context: Any,
        options: Sequence[str],
        /,
        *,
        recent: bool,
        assignment: Assignment | None = None,
    ) -> dict[str, Any]:
        """What to expect of each option where a decision is due; with `recent` also by the results of today.

        Asked with an `assignment` only where an experiment withholds some memories from the cycle, not all.
        """
        ...


def advised_sources(sources: Collection[str]) -> list[str]:
    """Those of the sources that memory can advise on: as many as a choice may have, with names as short."""
    return [one for one in sources if len(one) <= MAX_OPTION_CHARACTERS][:MAX_OPTIONS]


async def advice_on_sources(
    adviser: Adviser, context: Mapping[str, Any], sources: Collection[str], **withholding: Any
) -> SourceAdvice:
    """Ask memory about sources in the context of a decision; nothing while no signal of them was judged.

    Signals that were judged since the nightly job count, too: the market of the last hours is often still the same.
    `withholding` may have an `assignment`, whose memories are left out.

    Raises:
        Unavailable: the table did not respond.
    """
    options = advised_sources(sources)
    if not options:
        return NO_ADVICE
    advice = await adviser.advise(DecisionType.SOURCE_SELECTION, context, options, recent=True, **withholding)
    rates = {one["option"]: one["expected"] for one in advice["options"] if not one["is_prior"]}
    return SourceAdvice(rates, tuple(advice["memory_ids"])) if rates else NO_ADVICE
