"""Success rates in responses."""

from typing_extensions import TypedDict

from agent_memory.core.fields import strict


@strict
class SuccessRate(TypedDict):
    """Outcomes of decisions; `low` and `high` are a 95 % Wilson score interval of the success rate."""

    with_outcome: int
    succeeded: int
    success_rate: float | None
    low: float | None
    high: float | None
