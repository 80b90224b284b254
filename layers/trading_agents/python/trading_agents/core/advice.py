"""What memory expects of options, for agents whose decisions are synchronous."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EVEN = 0.5
"""The success rate of a choice that knows nothing."""


class Adviser(Protocol):
    """What gives advice; `MemoryManager(...).sync` and `AgentMemoryClient(...).sync` do."""

    def advise(
        self, decision_type: str, context: dict[str, Any], options: Sequence[str], *, choice: str | None = None
    ) -> dict[str, Any]:
        """What to expect of each option where a decision is due."""
        ...


@dataclass(frozen=True, slots=True)
class Advised:
    """The expected success rates that differ from one half by more than chance, and the memories they come from.

    Attributes:
        rates: by option; one whose 95 % interval contains one half is left out.
        memory_ids: to be logged with the decision; empty if memory moved nothing.
    """

    rates: Mapping[str, float]
    memory_ids: tuple[str, ...]


NOT_ADVISED = Advised({}, ())


def advised_rates(
    adviser: Adviser | None, decision_type: str, context: Mapping[str, Any], options: Sequence[str], choice: str
) -> Advised:
    """Ask for the success rates of options under the path `choice`; nothing without an adviser.

    Raises:
        Unavailable: the table did not respond.
    """
    if adviser is None or not options:
        return NOT_ADVISED
    advice = adviser.advise(decision_type, dict(context), options, choice=choice)
    rates = {one["option"]: one["expected"] for one in advice["options"] if _differs(one)}
    return Advised(rates, tuple(advice["memory_ids"])) if rates else NOT_ADVISED


def _differs(option: Mapping[str, Any]) -> bool:
    low, high = option["interval"]
    return not option["is_prior"] and not low <= EVEN <= high
