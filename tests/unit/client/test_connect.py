"""One URL says where decisions and memories are kept; where nothing says it, the error names the three ways."""

import re
import sqlite3

import httpx
import pytest

from agent_memory import (
    DecisionLogger,
    HttpApi,
    InvalidInput,
    MemoryManager,
    Misconfigured,
    Stores,
    connect,
    in_memory_stores,
)
from agent_memory.api import deployment as deployed
from agent_memory.api.deployment import Deployment
from agent_memory.core.clock import FixedClock, SystemClock
from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.store_urls import AWS_VARIABLES, URL_VARIABLE
from tests.http_events import FakeSession, call_routes

VARIABLES = (URL_VARIABLE, *AWS_VARIABLES)


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch, tmp_path):
    """No variable and no configuration names a store; the working directory is empty."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def log_and_remember(**arguments):
    log, memory = DecisionLogger("hunter", **arguments).sync, MemoryManager("hunter", **arguments).sync
    decision_id = log.log_decision("QUERY", {"market": {"trend": "up"}}, {})
    log.log_outcome(decision_id, {"profit": 1.5}, success=True)
    memory.store_ltm("PATTERN", "pump", {"text": "volume pumps", "confidence": 0.8})
    memory.store_stm("context:current", {"trend": "up"})
    return decision_id


def what_is_kept(**arguments):
    log, memory = DecisionLogger("hunter", **arguments).sync, MemoryManager("hunter", **arguments).sync
    (decision,) = log.query_decisions("QUERY")
    (found,) = memory.retrieve_ltm("PATTERN")
    return decision["decision_id"], decision["success"], found["text"], memory.retrieve_stm("context:current")


def test_a_file_is_read_again_by_its_url(tmp_path):
    url = f"sqlite:///{tmp_path}/memory.db"
    decision_id = log_and_remember(stores=url)
    assert what_is_kept(stores=connect(url)) == (decision_id, True, "volume pumps", {"trend": "up"})
    assert DecisionLogger("hunter", memory_manager=MemoryManager("hunter", stores=url)).sync.query_decisions()


def test_three_slashes_are_a_path_below_the_working_directory(tmp_path):
    connect("sqlite:///my%20memory.db")
    assert (tmp_path / "work" / "my memory.db").is_file()


def test_a_tilde_is_the_home_directory_and_spaces_around_a_url_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    connect(" sqlite:///~/memory.db\r\n")
    assert (tmp_path / "memory.db").is_file()
    assert list((tmp_path / "work").iterdir()) == []


def test_the_variable_names_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENT_MEMORY_URL", f"sqlite:///{tmp_path}/memory.db")
    decision_id = log_and_remember()
    assert what_is_kept()[0] == decision_id


def test_a_database_in_memory_ends_with_its_connection(tmp_path):
    for url in ("sqlite://", "sqlite:///:memory:"):
        log_and_remember(stores=(stores := connect(url)))
        assert what_is_kept(stores=stores)
        assert DecisionLogger("hunter", stores=url).sync.query_decisions() == []
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("opened", [connect, lambda: DecisionLogger("hunter"), lambda: MemoryManager("hunter")])
def test_where_nothing_is_set_the_error_names_the_three_ways_in_three_lines(opened, tmp_path):
    with pytest.raises(InvalidInput, match="AGENT_MEMORY_URL") as caught:
        opened()
    first, *ways = str(caught.value).splitlines()
    assert first.startswith("store: nothing says where decisions and memories are kept")
    assert [re.split(r"\W", way.strip())[0] for way in ways] == ["sqlite", "https", "aws"]
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("memory.db", "not the URL of a store; .*sqlite:///memory.db"),
        ("", "not the URL of a store"),
        ("postgres://host/db", "not the URL of a store"),
        ("sqlite://memory.db", "three, as sqlite:///memory.db"),
        ("sqlite:memory.db", "no slashes before the file; write sqlite:///memory.db"),
        ("sqlite:/memory.db", "no slashes before the file"),
        ("sqlite:", "no slashes before the file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///memory%00.db", "control character"),
        ("sqlite:///memory\t.db", "control character"),
        ("sqlite:///\ud800.db", "names no file"),
        ("sqlite://[::1", "is not a URL: Invalid IPv6"),
        ("sqlite:///memory.db?mode=ro", "a file has no options"),
        ("sqlite:///missing/memory.db", "folder .*missing does not exist"),
        ("aws://agents?regoin=eu-west-1", "unknown option 'regoin'; the options are .*region"),
        ("aws://agents/path", "write aws://PREFIX"),
        ("https://abc.example/v1", "base_url: .*/v1"),
    ],
)
def test_what_is_no_store_is_refused_with_what_to_write(url, error, tmp_path):
    with pytest.raises(InvalidInput, match=re.compile(error, re.DOTALL)):
        connect(url)
    assert list((tmp_path / "work").iterdir()) == []


def test_what_is_neither_url_nor_stores_is_refused():
    for unusable in (5, {}, object(), b"sqlite://"):
        with pytest.raises(InvalidInput, match=r"stores: expected a URL, or what connect\(\) returned"):
            DecisionLogger("hunter", stores=unusable)


def test_prefix_region_and_bucket_of_a_deployment_are_in_its_url():
    stores = connect("aws://agents?region=eu-west-1&archive_bucket=agents-archive")
    assert isinstance(stores, Stores)
    assert stores.decisions._client.meta.region_name == "eu-west-1"
    assert (stores.decisions._table, stores.blobs._bucket) == ("agents-agent_decisions", "agents-archive")


def test_the_settings_of_a_deployment_need_no_url(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert MemoryManager("hunter").stores.decisions._table == "agent-memory-agent_decisions"
    assert isinstance(DecisionLogger("hunter").log, DecisionLog)


def test_an_api_is_used_with_the_same_classes(monkeypatch):
    clock = FixedClock(SystemClock().now_ms())
    stores = in_memory_stores(clock)
    monkeypatch.setattr(deployed, "deployment", lambda: Deployment(stores, clock=clock))
    api = HttpApi("https://api.example", session=FakeSession(), transport=httpx.MockTransport(call_routes))
    decision_id = log_and_remember(stores=api)
    assert what_is_kept(stores=api) == (decision_id, True, "volume pumps", {"trend": "up"})
    memory = MemoryManager("hunter", stores=api, pools=["shared"])
    memory.pool("shared").sync.store_ltm("PATTERN", "dump", {"text": "volume dumps"})
    assert stores.memories.get("shared", "PATTERN", "dump").changed_by == "hunter"
    with pytest.raises(InvalidInput, match="name: 'other' is not one"):
        memory.pool("other")
    for needs_stores in (lambda: memory.stores, lambda: memory.direct, lambda: DecisionLogger("a", stores=api).log):
        with pytest.raises(InvalidInput, match="the HTTP API has no access"):
            needs_stores()


def test_an_https_url_is_an_api(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    api = connect("https://abc.execute-api.us-east-1.amazonaws.com")
    assert repr(api) == "HttpApi('https://abc.execute-api.us-east-1.amazonaws.com')"
    DecisionLogger("hunter", stores=api).sync.close()


def test_the_file_of_another_program_is_not_touched(tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(InvalidInput, match="the SQLite database of another program"):
        connect(f"sqlite:///{other}")
    assert other.read_bytes() == before
    (tmp_path / "text.db").write_text("a text, and no database" * 100)
    with pytest.raises(Exception, match="not an intact SQLite database"):
        connect(f"sqlite:///{tmp_path}/text.db")


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    connect(f"sqlite:///{tmp_path}/memory.db")
    with sqlite3.connect(tmp_path / "memory.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Misconfigured, match=r"newer version of agent-memory .* 99, .* upgrade the package"):
        connect(f"sqlite:///{tmp_path}/memory.db")
