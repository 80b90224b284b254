"""`python -m stacks.retention_page docs/data-retention.md`: write each duration into the table from `retention`."""

import re
import sys
from pathlib import Path

from agent_memory.core import retention

# A table's row whose last two cells are a duration and the name of its constant.
_ROW = re.compile(
    r"^(?P<before>\|.*\| )(?P<duration>\d+ \w+)(?P<after>[^|]*\| `(?P<constant>[A-Z_]+)` \|)$", re.MULTILINE
)
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def constants() -> dict[str, int]:
    """Every retention time of the product in seconds, by the name of its constant."""
    return {
        name: value * (86_400 if name.endswith("_DAYS") else 1)
        for name, value in vars(retention).items()
        if name.endswith(("_DAYS", "_SECONDS"))
    }


def named_on(page: str) -> set[str]:
    """The constants that the page's tables name."""
    return {row["constant"] for row in _ROW.finditer(page)}


def with_durations(page: str) -> str:
    """Return the page with every duration as it is now."""
    return _ROW.sub(lambda row: f"{row['before']}{_duration(row['constant'])}{row['after']}", page)


def _duration(constant: str) -> str:
    """A duration in the largest unit that divides it."""
    seconds = constants()[constant]
    unit, length = next((unit, length) for unit, length in _UNITS if seconds % length == 0)
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_durations(file.read_text(encoding="utf-8")), encoding="utf-8")
