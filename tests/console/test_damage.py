"""What is damaged is named where it belongs, and keeps nothing else from being shown; it is not called an outage."""

import sqlite3

import pytest

from agent_memory.core.keys import crowding_key, report_key
from tests.console.client import Client
from tests.console.data import AGENT, LAST_DAY, RULE, console_of, fill, run_jobs

NO_REPORTS = (b"not JSON", b"{}", b"[]", b"\xff", b'{"date": 5, "checks": 7, "by_type": [], "memories": {}}')


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def stores(folder):
    stores = fill(f"sqlite:///{folder}/memory.db", days=33, a_day=1)
    run_jobs(stores)
    return stores


@pytest.fixture
def client(stores):
    return Client(console_of(stores))


async def test_a_damaged_seal_is_named_and_the_other_days_are_shown(client, stores, folder):
    last = stores.archive.days(AGENT)[-1]
    total = len(stores.archive.days(AGENT))
    (manifest,) = [one for one in folder.rglob("_manifest-*.json") if last.isoformat() in str(one)]
    manifest.write_bytes(b"{")
    assert (await client.page("")).figures["archived_days"] == total
    page = await client.page("/archive")
    text = (await client.raw(f"/agents/{AGENT}/archive?csv=days")).text
    assert [line[:10] for line in text.splitlines()[1:]] == [str(one) for one in stores.archive.days(AGENT)[-2::-1]]
    assert "This is not complete" in page.visible
    assert last.isoformat() in page.visible
    assert (await client.post("/archive/verify")).status_code == 303
    await client.ended("verification")
    assert (await client.page("/archive")).rows("findings")


async def test_a_damaged_report_is_named_by_the_overview_and_among_reports(client, stores):
    for body in NO_REPORTS:
        stores.blobs.write(report_key(AGENT, LAST_DAY), body)
        for query in ("", f"?as_of={LAST_DAY}"):
            overview = await client.page(query)
            assert any("cannot be read" in str(row["what"]) for row in overview.rows("attention"))
        page = await client.page("/nightly")
        assert page.figures["days_due"] == 0
        assert page.rows("reports")
        assert "This is not complete" in page.visible
        wanted = await client.page(f"/nightly?day={LAST_DAY}")
        assert "There is no report" not in wanted.visible


async def test_what_cannot_be_read_of_one_agent_or_of_a_day_leaves_the_list_of_agents(client, stores, folder):
    for body in NO_REPORTS:
        stores.blobs.write(crowding_key(LAST_DAY), body)
        response = await client.raw("/agents")
        assert response.status_code == 200
        assert "This is not complete" in response.text
        assert "Nothing was compared" not in response.text
    with sqlite3.connect(folder / "memory.db") as file:
        file.execute("update states set data = '{'")
    response = await client.raw("/agents")
    assert response.status_code == 200
    assert AGENT in response.text


async def test_a_damaged_memory_is_not_called_an_outage(client, folder):
    with sqlite3.connect(folder / "memory.db") as file:
        file.execute("update memories set record = '{' where pattern_id = ?", [RULE])
    page = await client.page(f"/memories/PATTERN/{RULE}", status=503)
    assert "did not respond" not in page.visible
    assert "damaged" in page.visible


async def test_the_error_of_a_part_stands_in_the_place_of_the_part(client, folder):
    with sqlite3.connect(folder / "memory.db") as file:
        file.execute("update memory_versions set record = '{'")
        file.execute("drop table decisions")
    for part in ("influence", "performance", "earnings"):
        path = {"influence": f"/influence/{RULE}"}.get(part, f"/{part}")
        response = await client.raw(f"/agents/{AGENT}{path}", headers={"HX-Target": part, "HX-Request": "true"})
        assert response.status_code >= 500
        assert f'id="{part}"' in response.text
    response = await client.raw(f"/agents/{AGENT}/influence/{RULE}", headers={"HX-Target": '"><script>'})
    assert "<script>" not in response.text
