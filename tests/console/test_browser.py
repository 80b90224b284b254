"""A browser walks through every page: nothing is broken, inaccessible or loaded from elsewhere."""

import pytest

from agent_memory import DecisionLogger
from tests.console.browser import CHROMIUM, Walk, chromium, pages_of, serving_console
from tests.console.data import AGENT, RULE, clock

pytestmark = [
    pytest.mark.slow,
    pytest.mark.enable_socket,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed; `apt-get install chromium`"),
]


@pytest.fixture(scope="module")
def address(filled):
    with serving_console(filled) as found:
        yield found


@pytest.fixture(scope="module")
def paths(filled):
    log = DecisionLogger(AGENT, stores=filled, clock=clock()).sync
    with_memory = next(one for one in log.query_decisions(limit=1000) if one["memory_ids"] and one["parent_ids"])
    return pages_of(AGENT, with_memory["decision_id"], f"PATTERN/{RULE}")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page(browser, address, paths, width, scheme):
    walk = Walk(browser, address, width=width, scheme=scheme)
    for path in paths:
        walk.visit(path)
        assert (path, walk.violations(), walk.overflow) == (path, [], 0)
    expected = (
        "Failed to load resource: the server responded with a status of 400 (Bad Request)"  # the page of an error
    )
    assert [one for one in walk.complaints if one != expected] == []
    assert walk.elsewhere() == []


def test_typing_filters_and_the_address_keeps_them(browser, address):
    walk = Walk(browser, address)
    page = walk.visit(f"/agents/{AGENT}/decisions")
    page.keyboard.press("/")
    page.keyboard.type("number 12")
    page.wait_for_url("**text=number%2012")
    assert "looked" in page.inner_text("#results")
    assert "outcome=" not in page.url
    page.reload()
    assert page.input_value("[data-search]") == "number 12"
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decisions/*-*")
    assert walk.complaints == []


def test_pages_work_without_scripts(browser, address):
    page = Walk(browser, address, script=False).visit(f"/agents/{AGENT}/decisions")
    page.fill("[name=symbol]", "MSFT")
    page.click("form#filters button")
    assert "looked" in page.inner_text("#results")


def test_a_plot_and_a_graph_are_saved_as_pictures(browser, address, paths):
    walk = Walk(browser, address)
    for path, name in ((f"/agents/{AGENT}", "decisions-a-day"), (paths[-3], "chain")):
        page = walk.visit(path)
        with page.expect_download() as download:
            page.click(f"[data-png={name}]")
        assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_another_site_can_neither_change_nor_read(browser, fresh):
    with serving_console(fresh) as address, serving_console(fresh) as other:
        walk = Walk(browser, other)
        page = walk.visit(f"/agents/{AGENT}")
        result = page.evaluate(
            """async (url) => { try { return (await fetch(url, {method: 'POST', mode: 'no-cors', body: 'x'})).type }
               catch (error) { return 'refused' } }""",
            f"{address}/agents/{AGENT}/memories/quarantine",
        )
        assert result == "refused"
        assert fresh.states.get(AGENT, "LEARNING_CONTROLS") is None


def test_the_time_that_pages_are_shown_as_of_stands_in_addresses_and_links(browser, address):
    walk = Walk(browser, address)
    page = walk.visit(f"/agents/{AGENT}/memories?type=PATTERN")
    page.fill("[name=as_of][type=date]", "2026-11-10")
    page.wait_for_url("**type=PATTERN&as_of=2026-11-10")
    page.click("nav >> text=Experiments")
    page.wait_for_url("**/experiments?as_of=2026-11-10")
    assert "at the end of 10 Nov 2026" in page.inner_text("main")
    page.locator("[data-days-back]").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/experiments?as_of=2026-11-09")
    page.get_by_role("link", name="Now", exact=True).click()
    page.wait_for_url("**/experiments")
    assert walk.complaints == []


def test_a_decision_is_found_by_its_id_from_any_page(browser, address, filled):
    log = DecisionLogger(AGENT, stores=filled, clock=clock()).sync
    (oldest,) = log.query_decisions(limit=1, newest_first=False)
    walk = Walk(browser, address)
    page = walk.visit(f"/agents/{AGENT}")
    page.keyboard.press("/")
    page.wait_for_selector("[data-search]:focus")
    page.keyboard.insert_text(oldest["decision_id"])
    page.wait_for_selector("text=1 decision shown")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/decisions/{oldest['decision_id']}")
    assert walk.complaints == []


def test_long_names_and_texts_fit_a_narrow_screen_and_are_read_by_keyboard(browser, fresh):
    decision = {"action": "x" * 10_000, "note": "line\n" * 100}
    log = DecisionLogger(AGENT, stores=fresh, clock=clock()).sync
    decision_id = log.log_decision("T" * 60, {"market": {"trend": "up"}}, decision)
    with serving_console(fresh) as own:
        walk = Walk(browser, own, width=390)
        for path in ("", f"/decisions/{decision_id}"):
            walk.visit(f"/agents/{AGENT}{path}").wait_for_load_state("networkidle")
            assert (path, walk.violations(), walk.overflow) == (path, [], 0)
