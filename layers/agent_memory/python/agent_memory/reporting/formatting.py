"""Formats numbers, dates and names for the report."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

_MAX_SHOWN_CERTAINTY = 0.999
MISSING = "–"
_RATES = re.compile(r"(?P<condition>.+) in \d+% of [\d,]+ cases\b", re.DOTALL)
_FORMER_RATES = re.compile(r"(?P<condition>.+): \d+% of [\d,]+ succeeded\b", re.DOTALL)  # of earlier versions
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count(number: float | None) -> str:
    """`17,280`; a dash for None."""
    return MISSING if number is None else f"{number:,.0f}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """`0.564` as `56.4 %`."""
    return MISSING if fraction is None else f"{100 * fraction:.{digits}f}\u00a0%"


def certainty(fraction: float | None) -> str:
    """`0.9997` as `> 99.9 %`: an estimated probability is never shown as certainty."""
    if fraction is not None and fraction > _MAX_SHOWN_CERTAINTY:
        return f"> {percent(_MAX_SHOWN_CERTAINTY)}"
    return percent(fraction)


def interval(low: float | None, high: float | None) -> str:
    """`0.55, 0.578` as `55.0–57.8 %`."""
    return MISSING if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}\u00a0%"


def points(difference: float | None) -> str:
    """A difference of two rates in percentage points, with its sign: `+7.2 points`."""
    if difference is None:
        return MISSING
    sign = "−" if difference < 0 else "+"
    return f"{sign}{abs(100 * difference):.1f}\u00a0points"


def dollars(amount: float | None) -> str:
    """`$1,234.50`."""
    return MISSING if amount is None else f"${amount:,.2f}"


def day(value: str | date | None) -> str:
    """An ISO date or time as `20 Nov 2026`."""
    if value is None:
        return MISSING
    on = value if isinstance(value, date) else _utc(value)
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def days(ends: Sequence[str]) -> str:
    """Two ISO times as `24 Jul 2026 to 20 Nov 2026`, or one date if both are on the same day."""
    first, last = (day(end) for end in ends)
    return first if first == last else f"{first} to {last}"


def short_day(value: date) -> str:
    """`20 Nov`."""
    return f"{value.day} {_MONTHS[value.month - 1]}"


def date_time(value: str | None) -> str:
    """An ISO time as `20 Nov 2026, 10:30 UTC`."""
    if value is None:
        return MISSING
    at = _utc(value)
    return f"{day(at)}, {at:%H:%M} UTC"


def name(identifier: str) -> str:
    """`SIGNAL_GENERATION` as `signal generation`; text that is not all capitals keeps its case."""
    text = identifier.replace("_", " ").strip()
    return (text.lower() if text == text.upper() else text) or MISSING


def context(context_type: str) -> str:
    """`trend=bullish|volatility=high` as `trend bullish · volatility high`."""
    return " · ".join(name(part.replace("=", " ", 1)) for part in context_type.split("|")) or MISSING


def condition(description: str) -> str:
    """A pattern's sentence up to its numbers, which plots and tables show themselves; without numbers all of it.

    `Signals in bullish markets succeeded in 71% of 340 cases, against …` as `Signals in bullish markets`.
    """
    found = _RATES.match(description) or _FORMER_RATES.match(description)
    return found["condition"].removesuffix(" succeeded") if found else description


def shortened(text: str, max_length: int) -> str:
    """Text of at most `max_length` characters, cut at the end of a word if that does not lose half of it."""
    flat = " ".join(text.split())
    if len(flat) <= max_length:
        return flat
    cut = flat[: max_length - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > max_length / 2 else cut).rstrip(" ,;:") + "…"


def plural(number: float, one: str, many: str | None = None) -> str:
    """`1 pattern`, `6 patterns`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _utc(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def fading(left_after_a_day: float) -> str:
    """What is left over thirty days of what fades to a part of itself in one, as points of a polyline, 120 by 24."""
    days = [0.75 * number for number in range(41)]
    return " ".join(f"{4 * day:.1f},{24 - 24 * left_after_a_day**day:.1f}" for day in days)
