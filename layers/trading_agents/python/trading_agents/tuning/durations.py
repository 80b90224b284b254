"""Durations in words, and back."""

import math
import re

from agent_memory import InvalidInput

_UNITS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}
_NAMES = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


def duration_name(seconds: float) -> str:
    """Return a duration such as `30 min`, `8 h` or `7 d`; an infinite one is `never fades`."""
    if math.isinf(seconds):
        return "never fades"
    unit, size = next(((unit, size) for unit, size in _NAMES if seconds >= size), ("s", 1.0))
    return f"{seconds / size:g} {unit}"


def parse_durations(text: str) -> tuple[float, ...]:
    """Return the seconds of `30m,2h,7d`. `InvalidInput` if it is none of that, or not above 0."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([mhd])\s*", part)
        if not match or float(match.group(1)) == 0:
            raise InvalidInput("half-lives", f"{part.strip()!r:.40} is not a duration such as 30m, 8h or 7d")
        found.append(float(match.group(1)) * _UNITS[match.group(2)])
    return tuple(found)
