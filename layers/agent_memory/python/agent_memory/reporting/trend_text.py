"""How the confidence of a pattern has changed, in a sentence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agent_memory.reporting.formatting import percent, short_day


def trend_text(versions: Sequence[Mapping[str, Any]]) -> str:
    """The line as text, for readers who cannot see it: the first and the last version, and how many there are."""
    first, last = versions[0], versions[-1]
    return (
        f"{len(versions)} versions. Confidence {percent(first['confidence'])} on {_day(first['at'])}, "
        f"{percent(last['confidence'])} on {_day(last['at'])}"
        f"{', removed' if last['removed'] else ''}; success rate {percent(last['success_rate'])}, "
        f"otherwise {percent(last['base_rate'])}"
    )


def _day(at: str) -> str:
    return short_day(datetime.fromisoformat(at).date())
