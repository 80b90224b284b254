"""Only browsers of this machine that show the console's own pages can read it, and only these can change anything."""

import re

import pytest

from agent_memory import HttpApi, InvalidInput, MemoryManager, Unavailable
from agent_memory.cli.console.security import local_hosts
from agent_memory.cli.console.source import open_source
from agent_memory.decisions.log import DecisionLog
from tests.console.client import Client
from tests.console.data import AGENT, BASE, RULE, clock, console_of

CHANGE = {"memory_id": RULE, "memory_type": "PATTERN", "reason": "it is wrong"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "", "localhost:1"])
async def test_another_host_is_refused(writer, host):
    response = await writer.raw(f"/agents/{AGENT}", headers={"host": host})
    assert response.status_code == 403
    assert AGENT not in response.text


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765"])
async def test_this_machine_is_served(writer, host):
    assert (await writer.raw(f"/agents/{AGENT}/decisions", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://127.0.0.1:8765", "http://127.0.0.1"])
async def test_another_origin_changes_nothing(writer, fresh, origin):
    response = await writer.post("/memories/quarantine", origin=origin, **CHANGE)
    assert response.status_code == 403
    assert await MemoryManager(AGENT, stores=fresh, clock=clock()).list_quarantines() == []


@pytest.mark.parametrize("token", ["", "wrong", "ä"])
async def test_without_the_token_nothing_is_changed(writer, fresh, token):
    response = await writer.post("/memories/quarantine", token=token, **CHANGE)
    assert response.status_code == 403
    assert await MemoryManager(AGENT, stores=fresh, clock=clock()).list_quarantines() == []


ACTIONS = [
    "/memories/quarantine",
    "/memories/release",
    "/memories/correct",
    "/nightly/run",
    "/archive/verify",
    "/archive/restore",
]


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_read_only_console_has_nothing_that_writes(fresh, path):
    client = Client(console_of(fresh, read_only=True))
    assert (await client.post(path, **CHANGE)).status_code in (404, 405)
    page = await client.page(f"/memories/PATTERN/{RULE}")
    assert '<form method="post"' not in page.text


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_link_changes_nothing(writer, path):
    assert (await writer.raw(f"/agents/{AGENT}{path}", params=CHANGE)).status_code in (400, 404, 405)


async def test_quarantine_and_release(writer, fresh):
    memory = MemoryManager(AGENT, stores=fresh, clock=clock())
    response = await writer.post("/memories/quarantine", **CHANGE)
    assert response.status_code == 303
    (one,) = await memory.list_quarantines()
    assert (one["memory_id"], one["reason"]) == (RULE, "it is wrong")
    assert (
        "Quarantined by" in (await writer.page(response.headers["location"].removeprefix(f"/agents/{AGENT}"))).visible
    )
    await writer.post("/memories/release", **CHANGE)
    assert await memory.list_quarantines() == []


async def test_a_correction_is_the_next_version_unless_another_came_first(writer, fresh):
    memory = MemoryManager(AGENT, stores=fresh, clock=clock())
    before = await memory.get_ltm("PATTERN", RULE)
    correction = {"data": '{"description": "corrected", "confidence": 0.1}', "version": str(before["version"])}
    assert (await writer.post("/memories/correct", **CHANGE, **correction)).status_code == 303
    after = await memory.get_ltm("PATTERN", RULE)
    assert (after["description"], after["version"], after["reason"]) == (
        "corrected",
        before["version"] + 1,
        "it is wrong",
    )
    assert (await writer.post("/memories/correct", **CHANGE, **correction)).status_code == 409
    assert (await writer.post("/memories/correct", **CHANGE, data="{", version="1")).status_code == 400


async def test_pages_run_no_script_and_load_nothing_from_elsewhere(writer):
    response = await writer.raw(f"/agents/{AGENT}/decisions")
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    page = await writer.page("/decisions")
    assert all(set(one) - {"defer"} == {"src"} and one["src"].startswith("/static/") for one in page.scripts)
    assert not re.search(r"\son[a-z]+=", response.text)
    assert not any("style" in attributes for _, attributes in page.tags)
    assert not any((one or "").startswith("http") for one in page.links)


async def test_an_unexpected_error_says_nothing_of_itself_and_has_the_headers(writer, monkeypatch):
    monkeypatch.setattr(type(writer.console.source), "pages", lambda *_: 1 / 0)
    response = await writer.raw(f"/agents/{AGENT}/decisions")
    assert response.status_code == 500
    assert "division" not in response.text
    assert "content-security-policy" in response.headers


async def test_an_outage_is_not_an_empty_page(writer, monkeypatch):
    def fail(*_, **__):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(DecisionLog, "page", fail)
    page = await writer.page("/decisions", status=503)
    assert "the table did not respond" in page.visible
    assert "an outage is not an empty answer" in page.visible


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/decisions/01a209fe-7201-8c3e-b35c-0a26b28c2cdc", 404),
        ("/decisions/nonsense", 400),
        ("/memories/PATTERN/none", 404),
        ("/decisions?from=yesterday", 400),
        ("/decisions?outcome=maybe", 400),
        ("/decisions?cursor=nonsense", 400),
        ("/decisions?as_of=tomorrow", 400),
        ("/decisions?csv=none", 400),
        ("/nothing", 404),
        ("/nightly?day=2026-13-01", 400),
    ],
)
async def test_what_is_wrong_in_an_address_is_said_on_a_page(writer, path, status):
    page = await writer.page(path, status=status)
    assert "Error code" in page.visible


async def test_only_the_agents_that_were_named_are_shown(fresh):
    MemoryManager("other", stores=fresh, clock=clock()).sync.save_state({"secret": 1})
    client = Client(console_of(fresh, agents=[AGENT]))
    await client.page("/decisions", status=404, agent="other")
    assert "other" not in (await client.page("")).visible.split()


async def test_an_api_says_what_it_does_not_serve():
    with pytest.raises(InvalidInput, match="does not list its agents"):
        open_source(HttpApi("https://api.example"), None)
    source = open_source(HttpApi("https://api.example"), None, agents=[AGENT])
    with pytest.raises(InvalidInput, match="no access to the archive"):
        source.stores("the archive")


def test_the_address_is_this_machine():
    assert BASE.startswith("http://127.0.0.1:")


def test_browsers_leave_out_the_default_port():
    assert set(local_hosts(80)) == {"127.0.0.1:80", "localhost:80", "127.0.0.1", "localhost"}
    assert set(local_hosts(8765)) == {"127.0.0.1:8765", "localhost:8765"}
