"""`python -m benchmarks.cost`: measure what the cost estimate rests on, and write it into the package."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_memory import pricing as costs
from benchmarks.cost_units import HOW, measure
from local import LocalCloud
from local.layout import Layout

_FILE = Path(costs.__file__).with_name("measured-units.json")


def main() -> None:
    """Measure in a new local cloud; what is assumed stays as it stands in the file."""
    logging.basicConfig(level=logging.ERROR)
    before = json.loads(_FILE.read_text(encoding="utf-8"))
    with TemporaryDirectory() as state, LocalCloud(Layout(state=Path(state))) as cloud:
        measured = measure(cloud)
    today = datetime.now(UTC).date().isoformat()
    content = {"measured": {"date": today, "how": HOW, **measured}, "assumed": before["assumed"]}
    _FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    for name, value in measured.items():
        sys.stdout.write(f"{name:<18} {value:>10,.3f}\n")


if __name__ == "__main__":
    main()
