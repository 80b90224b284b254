"""Walks through the console with 100,000 decisions at three widths, and prints how long pages and filters take.

`make test-ui`; with the path of a file that has such a log, that one is shown. Exit code: 0, or 1 with what is wrong.
"""

import sys
import tempfile
import time
from statistics import median

from agent_memory import DecisionLogger
from agent_memory.storage.store_urls import stores_at
from tests.console.browser import CHROMIUM, Walk, chromium, pages_of, serving_console
from tests.console.data import AGENT, RULE, clock, fill

DECISIONS = 100_000
DAYS = 80
FIRST_PAINT_MS, FILTER_MS = 1_000, 300
_FILTERS = (
    "type=TRADE",
    "outcome=failed",
    "context=trend%3Dup",
    "source=chart",
    "symbol=MSFT",
    "text=number+99",
    "text=absent",
    "as_of=2026-11-10&outcome=failed",
    "as_of=2026-11-10&text=absent",
)
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_FILTER = """async (query) => {
    const began = performance.now();
    const swapped = new Promise((done) => document.addEventListener('htmx:afterSettle', done, {once: true}));
    htmx.ajax('GET', `${location.pathname}?${query}`, {target: '#results', select: '#results', swap: 'outerHTML'});
    await swapped;
    return performance.now() - began;
}"""


def main():
    """Run the walk; returns the exit code."""
    if CHROMIUM is None:
        print("Chromium is not installed: apt-get install chromium")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        given = sys.argv[1:]
        stores = (
            stores_at(given[0], clock()) if given else fill(f"sqlite:///{folder}/memory.db", DAYS, DECISIONS // DAYS)
        )
        print(f"{DECISIONS:,} decisions stored in {time.monotonic() - began:.0f} s", flush=True)
        with serving_console(stores) as address, chromium() as browser:
            faults = list(_faults(browser, address, stores))
    print("\n".join(faults) or "nothing is wrong")
    return 1 if faults else 0


def _faults(browser, address, stores):
    (newest,) = DecisionLogger(AGENT, stores=stores, clock=clock()).sync.query_decisions(limit=1)
    paths = pages_of(AGENT, newest["decision_id"], f"PATTERN/{RULE}")
    for width, scheme in ((390, "light"), (1280, "dark"), (2560, "light")):
        walk, paints = Walk(browser, address, width=width, scheme=scheme), []
        for path in paths:
            page = walk.visit(path)
            paints.append((page.evaluate(_PAINT), path))
            yield from (f"{path} at {width}: {one}" for one in walk.violations())
            if walk.overflow > 0:
                yield f"{path} at {width} is {walk.overflow} pixels wider than the screen"
        slowest = max(paints)
        print(f"{width} px: first paint {median(paint for paint, _ in paints):.0f} ms", end=", ")
        print(f"at most {slowest[0]:.0f} ms ({slowest[1]})")
        if slowest[0] > FIRST_PAINT_MS:
            yield f"{slowest[1]} takes {slowest[0]:.0f} ms to its first paint"
        yield from (f"loads {one}" for one in walk.elsewhere())
        yield from (one for one in walk.complaints if "400 (Bad Request)" not in one)
    page = Walk(browser, address).visit(f"/agents/{AGENT}/decisions")
    for query in _FILTERS:
        took = median(page.evaluate(_FILTER, query) for _ in range(3))
        print(f"{query}: {took:.0f} ms")
        if took > FILTER_MS:
            yield f"{query} takes {took:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
