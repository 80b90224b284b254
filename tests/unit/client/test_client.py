"""The HTTP client against the real routes, without a network."""

import inspect
import itertools
from datetime import UTC, datetime

import httpx
import pytest
from botocore.exceptions import TokenRetrievalError

from agent_memory import (
    AgentMemoryClient,
    Conflict,
    DecisionLogger,
    Forbidden,
    InvalidInput,
    MemoryManager,
    NotFound,
    Unavailable,
)
from agent_memory.api import deployment as api
from agent_memory.api.http import json_text
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import DAY_MS, FixedClock, SystemClock
from agent_memory.core.errors import InColdStorage
from agent_memory.core.http_limits import escaped_size
from agent_memory.core.ids import new_decision_id, shard_of
from tests.http_events import USER_ARN, FakeSession, call_routes, client_with

# They need entire tables, which no deployed function may read.
NOT_OVER_HTTP = ("export", "forget", "list_memory_types")


@pytest.fixture
def client(served):
    return client_with(call_routes)


async def test_the_client_reads_back_what_it_writes(client):
    async with client:
        decision_id = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {"ratio": 1.0}, {"v": "1"})
        await client.log_outcome(decision_id, {"rows": 1}, True, {"quality": 0.5})
        decision = await client.get_decision(decision_id)
        assert (decision["reasoning"], decision["metrics"]) == ({"ratio": 1.0}, {"quality": 0.5})
        assert await client.query_decisions("QUERY", success_filter=True, context_filter={"trend": "up"}) == [decision]
        assert await client.query_decisions(success_filter=False) == []
        await client.store_stm("context:current", [1, 2], 60)
        assert await client.retrieve_stm("context:current") == [1, 2]
        await client.store_ltm("PATTERN", "a=b+c", {"confidence": 0.75})
        assert (await client.retrieve_ltm("PATTERN", {"min_confidence": 0.5}))[0]["pattern_id"] == "a=b+c"


async def test_errors_are_those_of_the_direct_classes(client):
    with pytest.raises(InvalidInput) as caught:
        await client.log_decision("lower", {}, {})
    assert caught.value.field == "/decision_type"
    with pytest.raises(NotFound):
        await client.get_decision(new_decision_id("QUERY", 5))
    decision_id = new_decision_id("QUERY", SystemClock().now_ms())
    await client.log_decision("QUERY", {}, {}, decision_id=decision_id)
    with pytest.raises(Conflict):
        await client.log_decision("QUERY", {"x": 1}, {}, decision_id=decision_id)
    for invalid in ({"x": float("nan")}, {"x": {1: 2}}, {"x": b""}):
        with pytest.raises(InvalidInput) as caught:
            await client.log_decision("QUERY", invalid, {})
        assert caught.value.field == "/context/x"


@pytest.fixture
def unreliable(served, no_waits):
    """A client, and a list of the failures of its next requests, before or after they take effect."""
    failures = []

    def handle(request):
        failure = failures.pop(0) if failures else None
        if failure == "refused":
            raise httpx.ConnectError("refused")
        if isinstance(failure, int):
            return httpx.Response(failure, text="{}")
        response = call_routes(request)
        if failure == "lost response":
            raise httpx.ReadTimeout("no response")
        return response

    return client_with(handle), failures


@pytest.mark.parametrize("failure", ["refused", "lost response", 429, 500, 502, 503, 504])
async def test_a_retried_request_is_stored_once(unreliable, failure):
    client, failures = unreliable
    async with client:
        failures += [failure, failure]
        decision_id = await client.log_decision("QUERY", {"n": 1}, {})
        failures += [failure]
        results = await client.log_decisions([_decision(1), _decision(2)])
        assert [result["status"] for result in results] in (
            ["created"] * 2,
            ["unchanged"] * 2,
        )
        for n in (1, 2):
            failures += [failure]
            await client.log_outcome(decision_id, {"n": n}, True, amend=True)
        assert len(await client.query_decisions()) == 3
        decision = await client.get_decision(decision_id)
        assert decision["outcome"] == {"n": 2}
        assert [outcome["outcome"] for outcome in decision["superseded_outcomes"]] == [{"n": 1}]


async def test_four_attempts_are_made_and_a_403_is_not_retried(unreliable):
    client, failures = unreliable
    async with client:
        failures += [503] * 4
        with pytest.raises(Unavailable):
            await client.query_decisions()
        assert failures == []
        failures += [503] * 8
        with pytest.raises(Unavailable):
            await client.log_decisions([_decision(n) for n in range(150)])
        failures.clear()
        failures += [403, 503]
        with pytest.raises(Forbidden):
            await client.query_decisions()
        assert failures == [503]


async def test_many_items_are_sent_in_several_requests_and_keep_their_order(client):
    async with client:
        decisions = [_decision(n) for n in range(230)]
        decisions[7] = {**decisions[7], "context": {"x": {1: 2}}}
        decisions[120] = {**decisions[120], "decision_type": "lower"}
        before = [dict(decision) for decision in decisions]
        results = await client.log_decisions(decisions)
        assert decisions == before
        assert [n for n, result in enumerate(results) if result["status"] == "invalid"] == [7, 120]
        assert results[7]["error"]["field"] == "/decisions/7/context/x"
        found = {one["decision_id"]: one["context"]["n"] for one in await client.query_decisions(limit=1000)}
        assert [found.get(one["decision_id"]) for one in results] == [None if n in (7, 120) else n for n in range(230)]
        results = await client.log_outcomes([{"decision_id": one, "outcome": {}, "success": True} for one in found])
        assert {result["status"] for result in results} == {"recorded"}


async def test_a_query_reads_on_after_a_page_that_ends_early(client, monkeypatch):
    async with client:
        results = await client.log_decisions([_decision(n) for n in range(20)])
        size = escaped_size(json_text(await client.get_decision(results[-1]["decision_id"])))
        monkeypatch.setattr(api.deployment().decision_log("market-hunter"), "max_answer_bytes", int(3.5 * size))
        found = await client.query_decisions(limit=17, newest_first=False)
        assert [one["context"]["n"] for one in found] == list(range(17))
        page = await client.page_decisions(limit=17)
        assert (len(page["decisions"]), page["cursor"] is not None) == (3, True)


async def test_chains_statistics_and_horizons(client):
    async with client:
        first = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {"selected": ["a"]})
        second = await client.log_decision("LEARNING", {}, {}, parent_ids=[first], memory_ids=["whale_pump"])
        await client.log_outcome(first, {"n": 1}, False, horizon="1h")
        await client.log_outcome(first, {"n": 2}, True, horizon="exit", headline=True)
        assert (await client.get_decision(first))["success"] is True
        (entry, *_) = await client.get_decision_chain(second)
        assert (entry["decision_id"], entry["relation"]) == (first, "ancestor")
        statistics = await client.analyze_decision_patterns("QUERY", group_by="source")
        assert [(group["group"], group["succeeded"]) for group in statistics["groups"]] == [("a", 1)]
        assert await client.query_decisions(success_filter="pending", context_type="trend=up") == []


async def test_memory_and_state(client):
    async with client:
        await client.store_ltm("PATTERN", "pump", {"confidence": 0.5}, reason="seen twice", expected_version=0)
        with pytest.raises(Conflict):
            await client.store_ltm("PATTERN", "pump", {"confidence": 0.6}, expected_version=0)
        await client.update_ltm_confidence("pump", 0.9, reason="held: again & again")
        history = await client.get_ltm_history("PATTERN", "pump")
        assert [change["reason"] for change in history] == ["seen twice", "held: again & again"]
        assert await client.retrieve_ltm("PATTERN", as_of="2026-01-01T00:00:00Z") == []
        assert [one["version"] for one in await client.get_pattern_memory()] == [2]
        await client.store_stm("pattern:x", {"pattern_id": "x", "confidence": 0.1})
        assert (await client.consolidate_to_ltm("pattern:x", "ARCHETYPE"))["version"] == 1
        assert await client.load_state() is None
        saved = await client.save_state({"current_cycle": 1, "configuration": {"rate": 0.1}}, expected_version=0)
        assert await client.load_state() == saved
        await client.create_checkpoint("first")
        await client.save_state({"current_cycle": 2})
        restored = await client.restore_checkpoint("first", expected_version=2)
        assert (restored["data"], restored["version"]) == (saved["data"], 3)
        assert [one["name"] for one in await client.list_checkpoints()] == ["first"]
        assert [one["state_version"] for one in await client.list_configurations()] == [1, 2, 3]
        await client.log_decision("QUERY", {"market": {"volatility": "high"}}, {})
        contexts = await client.get_context_memory(context_filter={"volatility": "high"}, level="immediate")
        assert ([one["kind"] for one in contexts["entries"]], contexts["complete"]) == (["decision"], True)


async def test_cycles_signals_and_rate_limits(client):
    async with client:
        cycle = {
            "context": {"trend": "up"},
            "queries": [{"source": "a", "n": 1.0}],
            "signals": [{"symbol": "BTC"}, "exit"],
            "performance": {"a": {"up": {"rate": 0.7}}},
            "decision_ids": ["first", "second"],
        }
        for _ in range(2):  # as after a lost response
            assert await client.write_cycle(**cycle, cycle_id="cycle-1") is True
        await client.write_cycle(queries=[])
        found = await client.read_cycle(cycles=5, performance={"a": ["up", "down"]})
        assert found["queries"] == [cycle["queries"]]
        assert sorted(map(str, found["signals"])) == sorted(map(str, cycle["signals"]))
        assert (found["context"], found["decision_ids"]) == ({"trend": "up"}, ["second", "first"])
        assert (found["performance"], found["missing"]) == (cycle["performance"], [])
        assert await client.remove_signal("exit") is True
        assert await client.remove_signal("exit") is False
        assert (await client.read_cycle(signals_since="2999-01-01T00:00:00Z"))["signals"] == []
        checks = [await client.check_rate_limit("derivatives", 2) for _ in range(3)]
        assert [(check["allowed"], check["remaining"]) for check in checks] == [(True, 1), (True, 0), (False, 0)]
        assert 299 < checks[0]["resets_in_seconds"] <= 300


async def test_recall_ranks_own_and_shared_memory(served):
    async with client_with(call_routes, pools=["shared"]) as client, client.pool("shared") as shared:
        await shared.store_ltm("PATTERN", "whales", {"confidence": 0.4, "text": "whales lead pumps"})
        await client.store_ltm("PATTERN", "gaps", {"confidence": 0.3, "text": "gaps fill", "symbol": "SPY"})
        found = await client.recall("whales lead", kind="PATTERN", explain=True)
        assert [(one["memory"]["agent_id"], one["memory"]["pattern_id"]) for one in found] == [
            ("shared", "whales"),
            ("market-hunter", "gaps"),
        ]
        assert found[0]["why"]["faded_importance"] == pytest.approx(0.4)
        assert [one["memory"]["pattern_id"] for one in await client.recall(symbol="SPY", top_k=1)] == ["gaps"]
        faded = await client.recall("whales lead", kind="PATTERN", half_lives={"PATTERN": 1e-3})
        assert faded[0]["score"] <= found[0]["score"]
        (version,) = await shared.get_ltm_history("PATTERN", "whales")
        assert (version["changed_by"], version["changed_as"]) == ("market-hunter", USER_ARN)
        with pytest.raises(InvalidInput, match="not one of the agent's pools"):
            client.pool("other")
        with pytest.raises(InvalidInput, match="top_k"):
            await client.recall("x", top_k=0)


async def test_a_pool_shares_its_memories_and_not_its_decisions(served):
    for agent in ("market-hunter", "shared"):
        MemoryManager(agent, stores=served).sync.store_ltm("PATTERN", agent, {"text": "whales"})
        DecisionLogger(agent, stores=served).sync.log_decision("TRADE", {"by": agent}, {"text": "whales"})
    pools = ["shared", "market-hunter", "shared"]
    direct = MemoryManager("market-hunter", stores=served, pools=pools).sync
    async with client_with(call_routes, pools=pools) as client:
        for memory in (client.recall("whales"), in_thread(direct.recall, "whales")):
            found = await memory
            assert [one["memory"]["pattern_id"] for one in found if "memory" in one] == ["shared", "market-hunter"]
            assert [one["decision"]["context"] for one in found if "decision" in one] == [{"by": "market-hunter"}]
        assert await client.recall("whales", kind="TRADE", success=True) == []
        assert len(await client.retrieve_ltm("PATTERN")) == len(direct.retrieve_ltm("PATTERN")) == 2


async def test_pages_with_pools_are_of_one_time(served, monkeypatch):
    stored_ms, calls = SystemClock().now_ms(), itertools.count()
    for agent, name in (("market-hunter", "own"), ("shared", "pooled")):
        memory = MemoryManager(agent, stores=served, clock=FixedClock(stored_ms)).sync
        for n in range(6):
            memory.store_ltm("PATTERN", f"{name}-{n}", {"text": f"whales {n}"})
    # Whichever namespace answers first: each request is of another time, before or after the one before.
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: stored_ms + DAY_MS + (next(calls) * 7_919) % 60_000)
    async with client_with(call_routes, pools=["shared"]) as client:
        everything = await client.recall("whales", top_k=12)
        assert [one["score"] for one in everything] == pytest.approx([everything[0]["score"]] * 12, rel=1e-12)
        for size in range(1, 6):
            found, cursor = [], None
            while not found or cursor is not None:
                page = await client.recall("whales", top_k=size, cursor=cursor)
                found, cursor = [*found, *[one["memory"]["pattern_id"] for one in page]], page.cursor
            assert found == [one["memory"]["pattern_id"] for one in everything]


async def test_cold_storage_is_not_retried(served, monkeypatch):
    def cold(*_args, **_kwargs):
        raise InColdStorage("QUERY of 2024-01-01 is in cold storage")

    monkeypatch.setattr(served.decisions, "get", cold)
    async with client_with(call_routes) as client:
        with pytest.raises(InColdStorage, match="QUERY of 2024-01-01"):
            await client.get_decision(new_decision_id("QUERY", 5))


def test_the_client_has_the_signatures_of_the_direct_classes():
    def methods(kind):
        members = inspect.getmembers(kind, inspect.iscoroutinefunction)
        return {name: inspect.signature(method) for name, method in members if not name.startswith("_")}

    over_http = methods(AgentMemoryClient)
    direct = methods(DecisionLogger) | methods(MemoryManager)
    for name, signature in direct.items():
        if name not in NOT_OVER_HTTP:
            assert over_http[name] == signature, name


def test_repr_shows_no_secret(client):
    assert repr(client) == "AgentMemoryClient('https://api.example/v1/agents/market-hunter/')"


class SessionWithoutCredentials(FakeSession):
    def get_credentials(self):
        return None


class ExpiredSession(FakeSession):
    def get_credentials(self):
        raise TokenRetrievalError(provider="sso", error_msg="Token has expired")


@pytest.mark.parametrize(
    ("session", "message"),
    [(SessionWithoutCredentials(), "set a profile, a role"), (ExpiredSession(), "Token has expired")],
)
async def test_without_credentials_the_error_says_what_to_do(session, message):
    async with AgentMemoryClient("https://x", "hunter", session=session) as client:
        for call in (client.query_decisions(), client.log_decisions([_decision(1)]), client.log_outcomes([{}])):
            with pytest.raises(Forbidden, match=message):
                await call


@pytest.mark.parametrize(
    ("url", "region", "signed_for"),
    [
        ("https://abc.execute-api.eu-central-1.amazonaws.com", None, "eu-central-1"),
        ("https://abc.execute-api.eu-central-1.amazonaws.com", "eu-west-1", "eu-west-1"),
        ("https://memory.example", None, "us-east-1"),
    ],
)
def test_requests_are_signed_for_the_region_of_the_url(url, region, signed_for):
    client = AgentMemoryClient(url, "hunter", session=FakeSession(), region=region)
    assert repr(client._http._requests._http.auth) == f"SigV4(region={signed_for!r}, credentials=***)"


async def test_the_client_generates_ids_in_all_shards(served):
    async with client_with(call_routes, write_shards=32) as client:
        logged = [await client.log_decision("QUERY", {}, {}, timestamp=datetime.now(UTC)) for _ in range(30)]
    assert len({shard_of(decision_id) for decision_id in logged}) > 1
    for invalid in (0, 33, "2"):
        with pytest.raises(InvalidInput, match="write_shards"):
            client_with(call_routes, write_shards=invalid)


def _decision(n):
    at = f"2026-11-01T00:{n // 60:02}:{n % 60:02}Z"
    return {"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "timestamp": at}
