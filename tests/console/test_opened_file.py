"""A file that is removed or replaced while a console has it open is said to be so, on every page."""

import pytest

from agent_memory.cli.console.server import Console
from agent_memory.cli.console.source import open_source
from tests.console.client import Client
from tests.console.data import AGENT, PORT, fill, run_jobs

PATHS = ("/agents", *(f"/agents/{AGENT}{path}" for path in ("", "/decisions", "/memories", "/nightly", "/archive")))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/memory.db"


@pytest.fixture
def client(url):
    stores = fill(url, days=3)
    run_jobs(stores)
    return Client(Console(open_source(stores, url), PORT))


async def texts(client, status):
    found = [await client.raw(path) for path in PATHS]
    assert [one.status_code for one in found] == [status] * len(PATHS)
    return [one.text for one in found]


async def test_a_file_that_was_removed(client, tmp_path):
    await texts(client, 200)
    (tmp_path / "memory.db").rename(tmp_path / "elsewhere.db")
    for text in await texts(client, 503):
        assert "memory.db is not there any more" in text
    assert not (tmp_path / "memory.db").exists()
    (tmp_path / "elsewhere.db").rename(tmp_path / "memory.db")
    await texts(client, 200)


async def test_a_folder_of_objects_that_was_removed(client, tmp_path):
    await texts(client, 200)
    (tmp_path / "memory.db-objects").rename(tmp_path / "elsewhere")
    for text in await texts(client, 503):
        assert "memory.db-objects is not there any more" in text


async def test_a_file_that_was_replaced(client, tmp_path, url):
    (tmp_path / "memory.db").rename(tmp_path / "elsewhere.db")
    (tmp_path / "memory.db").write_bytes((tmp_path / "elsewhere.db").read_bytes())
    for text in await texts(client, 503):
        assert "start this console again" in text


def test_a_database_in_memory_has_no_file():
    stores = fill("sqlite://", days=2)
    assert open_source(stores, "sqlite://").file is None
