"""A console on the HTTP API shows the same decisions and memories, and says what an API does not serve."""

import httpx
import pytest

from agent_memory import HttpApi
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.cli.console.server import Console
from agent_memory.cli.console.source import open_source
from tests.console.client import Client
from tests.console.data import AGENT, NAME, PORT, RULE, console_of
from tests.http_events import FakeSession, call_routes

pytestmark = pytest.mark.slow  # the nightly jobs of a month run before the first test


@pytest.fixture
def over_http(filled, monkeypatch):
    served = Deployment(filled)
    monkeypatch.setattr(api, "deployment", lambda: served)
    connection = HttpApi("https://api.example", session=FakeSession(), transport=httpx.MockTransport(call_routes))
    return Client(Console(open_source(connection, NAME, agents=[AGENT]), PORT))


@pytest.mark.parametrize(
    ("path", "tables"),
    [
        ("/decisions?outcome=failed&context=trend%3Ddown", ["decisions"]),
        ("/memories?as_of=2026-11-19", ["memories"]),
        ("/advise?type=TRADE&options=buy,sell&choose=greedy&seed=1", ["options"]),
        (f"/influence/{RULE}", ["outcomes", "decisions"]),
        (f"/history/PATTERN/{RULE}", ["history"]),
    ],
)
async def test_the_same_rows(over_http, client, path, tables):
    remote, direct = await over_http.page(path), await client.page(path)
    for name in tables:
        assert remote.rows(name) == direct.rows(name) != []


async def test_the_same_decision(over_http, client, filled):
    rows = (await client.raw(f"/agents/{AGENT}/decisions?text={RULE}")).text
    decision_id = rows.partition(f"/agents/{AGENT}/decisions/")[2][:36]
    remote, direct = await over_http.page(f"/decisions/{decision_id}"), await client.page(f"/decisions/{decision_id}")
    for name in ("memories", "chain", "scores"):
        assert remote.rows(name) == direct.rows(name) != []


async def test_the_same_figures_of_a_memory(over_http, filled):
    direct = Client(console_of(filled))
    path = f"/memories/PATTERN/{RULE}"
    remote, own = (await over_http.page(path)), (await direct.page(path))
    assert remote.figures["confidence"] == own.figures["confidence"]
    assert "an API does not say how often" in remote.visible
    # An API does not say what time its jobs go by.
    until = {"until": None}
    assert [one | until for one in remote.plots] == [one | until for one in own.plots] != []


@pytest.mark.parametrize("path", ["/nightly", "/archive", "/experiments"])
async def test_what_an_api_does_not_serve_is_said(over_http, path):
    page = await over_http.page(path, status=400)
    assert "open sqlite:// or aws:// instead" in page.visible


async def test_the_overview_leaves_it_out_and_says_so(over_http):
    page = await over_http.page("")
    assert "An HTTP API does not serve the state of nightly jobs" in page.visible
    assert (await over_http.page("/performance?days=365")).rows("types")
