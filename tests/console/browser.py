"""A browser on a console: Debian's Chromium, driven by Playwright, that may speak with this machine only."""

import shutil
import threading
from contextlib import contextmanager

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from agent_memory.cli.console.server import Console, listen
from agent_memory.cli.console.source import open_source
from tests.console.data import NAME

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SERIOUS = ("serious", "critical")
_PARTS_MS = 120_000


@contextmanager
def serving_console(stores, **options):
    """Serve a console of stores from a thread; yields its address."""
    with listen(0) as listener:
        port = listener.getsockname()[1]
        console = Console(open_source(stores, NAME, **options), port)
        server = uvicorn.Server(uvicorn.Config(console.app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def chromium():
    """A browser; it fails if there is none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Walk:
    """One tab, with all that it asked for and complained of."""

    def __init__(self, browser, address, *, width=1280, scheme="light", script=True):
        self.address = address
        self._context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        self.page = self._context.new_page()
        self.complaints, self.requested = [], []
        self.page.on("console", lambda one: self.complaints.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def visit(self, path):
        """Load a page with all its parts."""
        self.page.goto(self.address + path)
        # Parts that read a month of decisions take as long as the machine is busy; what is measured is the first paint.
        self.page.wait_for_load_state("networkidle", timeout=_PARTS_MS)
        return self.page

    def violations(self):
        """What axe-core finds serious or critical on the page, each rule with the elements that break it."""
        found = Axe().run(self.page).response["violations"]
        return [
            (one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found if one["impact"] in SERIOUS
        ]

    @property
    def overflow(self):
        """How many pixels the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def elsewhere(self):
        """Addresses that were asked for on another machine."""
        return [one for one in self.requested if not one.startswith((self.address, "data:", "blob:"))]


def pages_of(agent, decision_id, memory_path):
    """The path of every page."""
    sections = (
        "",
        "?as_of=2026-11-10",
        "/decisions",
        "/decisions?as_of=2026-11-10",
        "/memories",
        "/memories?type=ESTIMATE",
        "/memories?as_of=2026-11-10",
        "/recall?q=breakouts",
        "/experiments",
    )
    sections += ("/advise?type=TRADE&options=buy,sell&choose=greedy&seed=1", "/nightly", "/archive", "/cost")
    own = (f"/decisions/{decision_id}", f"/memories/{memory_path}", "/decisions/nonsense")
    return ["/agents", *(f"/agents/{agent}{one}" for one in (*sections, *own))]
