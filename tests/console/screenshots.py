"""Writes the pictures of docs/console.md from the data of the tests: `python -m tests.console.screenshots FOLDER`."""

import sys
import tempfile
from pathlib import Path

from agent_memory import DecisionLogger
from tests.console.browser import Walk, chromium, serving_console
from tests.console.data import AGENT, clock, fill, run_jobs

_HEIGHT = 1_000


def main():
    """Take a picture of each page."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as data:
        stores = fill(f"sqlite:///{data}/memory.db", a_day=8)
        run_jobs(stores)
        log = DecisionLogger(AGENT, stores=stores, clock=clock()).sync
        shown = next(
            one
            for one in log.query_decisions(success_filter=True, limit=200)
            if one["memory_ids"] and one["parent_ids"]
        )
        pages = {"overview": "", "decision": f"/decisions/{shown['decision_id']}"}
        with serving_console(stores) as address, chromium() as browser:
            walk = Walk(browser, address)
            for name, path in pages.items():
                page = walk.visit(f"/agents/{AGENT}{path}")
                page.set_viewport_size({"width": 1280, "height": _HEIGHT})
                page.screenshot(path=folder / f"console-{name}.png")


if __name__ == "__main__":
    main()
