"""Short-term memory on every kind of cache, and while the cache is stopped, hangs, or restarts empty."""

import asyncio
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.connection import Connection
from redis.credentials import UsernamePasswordCredentialProvider

from agent_memory import InvalidInput, MemoryManager, Unavailable
from agent_memory.core.clock import SystemClock
from agent_memory.ports.short_term import GetValue, SetValue
from agent_memory.storage.factory import in_memory_stores, redis_client_for, with_short_timeouts
from agent_memory.storage.in_memory.short_term import InMemoryShortTerm
from agent_memory.storage.redis.circuit_breaker import PAUSE_SECONDS, CircuitBreaker
from agent_memory.storage.redis.short_term import RedisShortTerm
from agent_memory.storage.schema import cache_access
from agent_memory.storage.sqlite.database import Database
from agent_memory.storage.sqlite.short_term import SqliteShortTerm
from tests.redis_servers import BINARIES, WITHOUT, fake_server, redis_server, self_signed


def needs(server):
    """Skips where the machine has no such server."""
    return pytest.mark.skipif(BINARIES[server] is None, reason=WITHOUT[server])


needs_redis = needs("installed")


@pytest.fixture
def on_redis():
    """Returns a function that creates a store of a client; the connections are closed after the test."""
    clients = []

    def create(client):
        clients.append(client)
        return RedisShortTerm(client)

    yield create
    for client in clients:
        client.connection_pool.disconnect()
        client.close()


@pytest.fixture
def server(socket_enabled):
    with redis_server() as started_server:
        yield started_server
        started_server.resume()


@pytest.fixture(scope="module")
def running():
    """The endpoint of a server of a binary, started once."""
    with ExitStack() as stack:
        yield functools.cache(lambda binary: stack.enter_context(redis_server(binary=binary)).endpoint)


@pytest.fixture(scope="module")
def fake():
    with fake_server() as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """A server with TLS and one user, with the permissions of the deployed cache's user: endpoint, certificate."""
    key, certificate = self_signed(tmp_path_factory.mktemp("tls"))
    tls = ["--port", "0", "--tls-port", "PORT", "--tls-auth-clients", "no"]
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    users = ["--user", "default", "off", "--user", "api", *cache_access().split(), ">secret"]
    with redis_server(*tls, *files, *users) as started_server:
        yield started_server.endpoint, certificate


@pytest.fixture(
    params=[
        "in_memory",
        "sqlite",
        "fake",
        pytest.param("installed", marks=needs("installed")),
        pytest.param("redis 6.2", marks=needs("redis 6.2")),
        pytest.param("valkey", marks=needs("valkey")),
        pytest.param("secured", marks=[needs_redis, pytest.mark.slow]),
    ]
)
def store(request, monkeypatch, on_redis, tmp_path):
    """A cache without any of the keys that these tests use."""
    if request.param == "in_memory":
        return InMemoryShortTerm(SystemClock())
    if request.param == "sqlite":
        return SqliteShortTerm(Database(tmp_path / "memory.db"))
    if request.param == "secured":
        endpoint, certificate = request.getfixturevalue("secured")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        provider = UsernamePasswordCredentialProvider("api", "secret")
        store = on_redis(redis_client_for(endpoint, tls=True, credential_provider=provider))
    elif request.param == "fake":
        store = on_redis(redis_client_for(f"redis://{request.getfixturevalue('fake')}?socket_timeout=5"))
    else:
        request.getfixturevalue("socket_enabled")
        store = on_redis(redis_client_for(request.getfixturevalue("running")(BINARIES[request.param])))
    store.erase("stm:", dry_run=False)
    return store


def manager(store, agent_id="hunter"):
    return MemoryManager(agent_id, stores=replace(in_memory_stores(), short_term=store))


async def test_values_are_stored_counted_and_cleared(store):
    memory = manager(store)
    for key in ("context:current", "queries:a:latest", "queries:b:latest"):
        assert await memory.store_stm(key, {"n": 1.0, "t": None}, 60) is True
    assert await memory.retrieve_stm("queries:a:latest") == {"n": 1.0, "t": None}
    assert await memory.retrieve_stm("other") is None
    assert await memory.clear_stm("queries:*") == 2
    assert [await memory.retrieve_stm(key) is None for key in ("context:current", "queries:a:latest")] == [False, True]
    assert await memory.clear_stm() == 1
    metrics = memory.stm_metrics()
    assert (metrics.hits, metrics.misses, metrics.failures, metrics.hit_rate) == (2, 2, 0, 0.5)
    for invalid in ("", 7, "x" * 256):
        with pytest.raises(InvalidInput, match="pattern"):
            await memory.clear_stm(invalid)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=st.text(st.sampled_from("*?[]^-\\ab.:{}#"), min_size=1, max_size=12))
def test_no_pattern_matches_keys_of_other_agents(store, pattern):
    others = ["stm:{a-b}:x", "stm:{a.bc}:x", "stm:{aXb}:x", "stm:{a.b}x:x", "stm:other"]
    store.run([SetValue(key, 1, 60) for key in (*others, "stm:{a.b}:x", "stm:{a.b}:ab")])
    with suppress(Unavailable):  # a pattern that Redis cannot read
        manager(store, "a.b").direct.short_term.clear(pattern)
    assert store.run([GetValue(key) for key in others]) == [1] * len(others)


async def test_a_cycle_that_is_written_again_changes_nothing(store):
    memory = manager(store)
    for n in (1, 2, 1):
        await memory.write_cycle(queries=[{"n": n}], decision_ids=[f"{n}"], cycle_id=f"cycle-{n}")
    await memory.write_cycle(queries=[{"n": 2}])
    await memory.write_cycle(queries=[{"n": 2}])
    found = await memory.read_cycle()
    assert [of_one[0]["n"] for of_one in found["queries"]] == [2, 2, 1, 2]
    assert found["decision_ids"] == ["1", "2"]


async def test_tuples_are_lists_and_a_number_is_not_another(store):
    memory = manager(store)
    await memory.write_cycle(signals=[("up", 1), ["up", 1], ("up", 1.0), ("up", True)], cycle_id="a")
    await memory.write_cycle(signals=[("up", 1)], queries=[(1, 2)], cycle_id="a")
    found = await memory.read_cycle()
    assert sorted(found["signals"], key=repr) == [["up", 1], ["up", 1.0], ["up", True]]
    assert found["queries"] == [[[1, 2]]]
    assert await memory.remove_signal(("up", 1)) is True
    assert sorted(map(repr, (await memory.read_cycle())["signals"])) == ["['up', 1.0]", "['up', True]"]


async def test_a_cycle_is_written_and_read(store):
    memory = manager(store)
    for n in range(12):
        written = await memory.write_cycle(
            context={"volatility": "high", "n": n},
            queries=[{"source": "a", "n": n}, {"source": "b", "n": n}],
            signals=[{"signal": n}, {"signal": "always"}],
            performance={"a": {"high": {"rate": n / 12}, "low": {"rate": 0.0}}},
            decision_ids=[f"{n}-first", f"{n}-second"],
        )
        assert written is True
    found = await memory.read_cycle(cycles=10, performance={"a": ["high", "normal"], "b": ["high"]})
    assert found["context"] == {"volatility": "high", "n": 11}
    assert [[one["n"] for one in cycle] for cycle in found["queries"]] == [[n, n] for n in range(11, 1, -1)]
    assert sorted(str(one["signal"]) for one in found["signals"]) == sorted([*map(str, range(12)), "always"])
    assert found["decision_ids"][:3] == ["11-second", "11-first", "10-second"]
    assert found["performance"] == {"a": {"high": {"rate": 11 / 12}}}
    assert found["missing"] == []
    assert await memory.remove_signal({"signal": "always"}) is True
    assert await memory.remove_signal({"signal": "always"}) is False
    assert len((await memory.read_cycle(cycles=1))["queries"]) == 1
    assert (await memory.read_cycle(signals_since="2100-01-01T00:00:00Z"))["signals"] == []
    for invalid in ({"context": {"a": float("nan")}}, {"signals": [{1: 2}]}, {"performance": {"a b": {"x": {}}}}):
        with pytest.raises(InvalidInput):
            await memory.write_cycle(**invalid)


@needs_redis
async def test_a_cycle_is_written_and_read_in_one_round_trip_each(server, on_redis, monkeypatch):
    memory = manager(on_redis(redis_client_for(server.endpoint)))
    await memory.retrieve_stm("a")  # connected now
    trips = []
    send = Connection.send_packed_command

    def counted(self, command, **settings):
        trips.append(command)
        return send(self, command, **settings)

    monkeypatch.setattr(Connection, "send_packed_command", counted)
    await memory.write_cycle(context={}, queries=[1], signals=[1, 2], performance={"a": {"b": {}}}, decision_ids=["x"])
    written = len(trips)
    await memory.read_cycle(performance={"a": ["b"]})
    assert (written, len(trips) - written) == (1, 1)


async def test_signals_of_over_four_hours_are_not_active(clock):
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    await memory.write_cycle(signals=["old"])
    clock.advance(3 * 3_600_000)
    await memory.write_cycle(signals=["new"])
    clock.advance(3_600_000)
    assert (await memory.read_cycle())["signals"] == ["new"]


def test_a_rate_limit_never_allows_more_than_its_limit(store):
    memories = [manager(store) for _ in range(5)]  # like five processes
    with ThreadPoolExecutor(50) as pool:
        limits = list(
            pool.map(lambda n: memories[n % 5].direct.cycles.check_rate_limit("coinglass", 20, 60), range(100))
        )
    shared = [one for one in limits if one.is_shared]  # fakeredis' server may take too long for fifty at once
    assert sum(one.allowed for one in shared) <= 20
    assert all(0 < one.resets_in_seconds <= 60 for one in limits)
    if len(shared) == len(limits):
        assert sum(one.allowed for one in shared) == 20
        assert max(one.remaining for one in shared) == 19


async def test_a_rate_limit_is_reset_when_its_window_ends(clock):
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    limits = [await memory.check_rate_limit("a", 2, window_seconds=10) for _ in range(3)]
    assert [(one["allowed"], one["remaining"]) for one in limits] == [(True, 1), (True, 0), (False, 0)]
    clock.advance(10_000)
    assert (await memory.check_rate_limit("a", 2, window_seconds=10))["allowed"] is True
    for invalid in ({"limit": 0}, {"limit": 1, "window_seconds": 90_000}, {"limit": True}):
        with pytest.raises(InvalidInput):
            await memory.check_rate_limit("a", **invalid)


def test_expired_values_are_not_returned(clock):
    store = InMemoryShortTerm(clock)
    store.run([SetValue("stm:{a}:x", 1, 60)])
    clock.advance(60_000)
    assert (store.run([GetValue("stm:{a}:x")]), store.count("stm:{a}:"), list(store.dump("stm:{a}:"))) == (
        [None],
        0,
        [],
    )


async def test_without_redis_values_are_stored_in_the_process(monkeypatch):
    monkeypatch.delenv("AGENT_MEMORY_REDIS_ENDPOINT", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    memory = MemoryManager("hunter")
    await memory.store_stm("a", [1])
    assert await memory.retrieve_stm("a") == [1]


def test_a_breaker_opens_probes_and_closes():
    now = [0.0]
    breaker = CircuitBreaker(failures_to_open=2, pause_seconds=5, seconds=lambda: now[0])
    breaker.record_failure()
    breaker.record_success()
    breaker.record_failure()
    assert breaker.allow_request()
    breaker.record_failure()
    assert not breaker.allow_request()
    now[0] = 5
    assert [breaker.allow_request(), breaker.allow_request()] == [True, False]  # one probe a pause
    breaker.record_failure()
    now[0] = 9.9
    assert not breaker.allow_request()
    now[0] = 10
    assert breaker.allow_request()
    breaker.record_success()
    assert breaker.allow_request()


@needs_redis
@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_an_agent_continues_while_its_cache_does_not_respond(server, on_redis, how):
    """No call fails or takes half a second; missing parts are named, failures counted, and the agent recovers."""
    memory = manager(on_redis(redis_client_for(server.endpoint)))
    await memory.store_stm("context:current", {"trend": "up"})
    server.kill() if how == "killed" else server.pause()
    taken = []
    for n in range(30):
        started = time.perf_counter()
        assert await memory.store_stm("a", n) is False
        assert await memory.retrieve_stm("context:current") is None
        contexts = await memory.get_context_memory()
        taken.append(time.perf_counter() - started)
        assert (await memory.read_cycle())["missing"]
        assert (await memory.check_rate_limit("a", 20))["is_shared"] is False
        assert (contexts["complete"], [one["level"] for one in contexts["missing"]]) == (False, ["immediate"])
    assert max(taken) < 5 * 0.5
    # The process counted thirty queries during the outage.
    assert [(await memory.check_rate_limit("a", 35))["allowed"] for _ in range(6)] == [True] * 5 + [False]
    assert sorted(taken)[15] < 0.1  # most calls skip the cache
    assert memory.stm_metrics().failures == 30 * 5 + 6
    server.start() if how == "killed" else server.resume()
    await asyncio.sleep(PAUSE_SECONDS)
    assert await memory.store_stm("a", 1) is True
    found = await memory.retrieve_stm("context:current")
    assert found == (None if how == "killed" else {"trend": "up"})
    assert (await memory.get_context_memory())["complete"] is True


@needs_redis
@pytest.mark.slow
async def test_a_client_of_the_caller_gets_short_timeouts(server, on_redis):
    """redis-py's defaults would wait for a minute."""
    client = Redis(port=server.endpoint.rpartition(":")[2], decode_responses=True)
    memory = manager(on_redis(with_short_timeouts(client)))
    assert await memory.store_stm("a", 1) is True
    server.pause()
    started = time.perf_counter()
    assert await memory.retrieve_stm("a") is None
    assert time.perf_counter() - started < 0.5
