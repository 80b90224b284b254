"""Redis as people run it: with TLS, users, a cluster, Sentinel, failovers, full memory, and foreign values."""

import json
import re
import socket
import subprocess
import zipfile
from contextlib import contextmanager
from dataclasses import replace

import pytest
from redis import BlockingConnectionPool, Redis, RedisCluster
from redis import asyncio as redis_asyncio
from redis.cluster import ClusterNode
from redis.sentinel import Sentinel

from agent_memory import InvalidInput, MemoryManager, Misconfigured, Unreadable
from agent_memory.storage.factory import in_memory_stores, redis_client_for, with_short_timeouts
from agent_memory.storage.redis.short_term import RedisShortTerm
from tests.redis_servers import (
    BINARIES,
    BINARY,
    WITHOUT,
    RedisServer,
    answering,
    free_port,
    hello,
    redis_cluster,
    redis_server,
    self_signed,
    wait_for_port,
    wait_until,
)

pytestmark = [
    pytest.mark.skipif(BINARY is None, reason="no redis-server or valkey-server on this machine"),
    pytest.mark.usefixtures("socket_enabled"),
]


def memory_on(where, agent_id="hunter"):
    """A memory, without asyncio, on a client or an endpoint."""
    client = redis_client_for(where) if isinstance(where, str) else with_short_timeouts(where)
    store = RedisShortTerm(client)
    return MemoryManager(agent_id, stores=replace(in_memory_stores(), short_term=store)).sync


def works(where, agent_id="hunter"):
    """Whether everything of short-term memory works there."""
    memory = memory_on(where, agent_id)
    kept = memory.store_stm("a", [1]) and memory.write_cycle(context={"n": 1}, queries=[1], signals=[2])
    found = memory.read_cycle()
    return (
        kept
        and memory.retrieve_stm("a") == [1]
        and (found["context"], found["queries"], found["signals"], found["missing"]) == ({"n": 1}, [[1]], [2], [])
        and memory.check_rate_limit("a", 1)["is_shared"]
        and memory.clear_stm() == 5
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def plain():
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@contextmanager
def with_tls(certificate, *options):
    files = ["--tls-key-file", str(certificate[0]), "--tls-cert-file", str(certificate[1])]
    with redis_server("--port", "0", "--tls-port", "PORT", *files, *options) as server:
        yield server


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{0}", "redis://{0}", "redis://{0}/3", "redis://{0}?protocol=2&socket_timeout=1"])
def test_forms_of_the_setting(plain, form):
    assert works(form.format(plain.endpoint))


def test_an_ipv6_address():
    with redis_server("--bind", "::1", "127.0.0.1") as server:
        assert works(f"[::1]:{server.port}")


@pytest.mark.slow
def test_tls_and_what_is_wrong_with_it(certificate, plain):
    trusted = f"ssl_ca_certs={certificate[1]}"
    with with_tls(certificate, "--tls-auth-clients", "no") as server:
        assert works(f"rediss://{server.endpoint}?{trusted}")
        assert works(Redis(port=server.port, host="127.0.0.1", ssl=True, ssl_ca_certs=str(certificate[1])))
        wrong = {
            f"rediss://{server.endpoint}": "ssl_ca_certs",
            f"rediss://localhost:{server.port}?{trusted}": "certificate",
            server.endpoint: "write rediss://",
            f"redis://{server.endpoint}?protocol=2": "write rediss://",
            f"rediss://{plain.endpoint}": "write redis://",
        }
        for endpoint, what in wrong.items():
            for call in (lambda of: of.store_stm("a", 1), lambda of: of.retrieve_stm("a"), lambda of: of.read_cycle()):
                with pytest.raises(Misconfigured, match=what):
                    call(memory_on(endpoint))


def test_a_server_that_demands_a_certificate(certificate):
    trusted = f"ssl_ca_certs={certificate[1]}"
    with with_tls(certificate, "--tls-auth-clients", "yes", "--tls-ca-cert-file", str(certificate[1])) as server:
        own = f"ssl_certfile={certificate[1]}&ssl_keyfile={certificate[0]}"
        assert works(f"rediss://{server.endpoint}?{trusted}&{own}")
        with pytest.raises(Misconfigured, match="ssl_certfile"):
            memory_on(f"rediss://{server.endpoint}?{trusted}").store_stm("a", 1)


def test_users_and_passwords():
    reader = ["--user", "reader", "on", "~stm:*", "+@read", "+@connection", ">r"]
    writer = ["--user", "w@b", "on", "~stm:*", "+@all", "-@dangerous", ">p/w:1"]
    with redis_server("--requirepass", "secret", *reader, *writer) as server:
        assert works(f"redis://:secret@{server.endpoint}/1")
        assert works(f"redis://w%40b:p%2Fw%3A1@{server.endpoint}")
        for endpoint in (server.endpoint, f"redis://:wrong@{server.endpoint}", f"redis://nobody:r@{server.endpoint}"):
            for _ in range(5):  # and it stays an error, whatever the circuit breaker does
                with pytest.raises(Misconfigured, match=r"redis_client: .*USER:PASSWORD"):
                    memory_on(endpoint).store_stm("a", 1)
        memory_on(f"redis://:secret@{server.endpoint}").store_stm("a", 1)
        limited = memory_on(f"redis://reader:r@{server.endpoint}")
        assert limited.retrieve_stm("a") == 1
        with pytest.raises(Misconfigured, match=r"permission.*\+@write"):
            limited.store_stm("a", 1)


def test_what_only_uses_the_cache_on_the_side_goes_on(plain):
    memory = memory_on(f"redis://:wrong@{plain.endpoint}?protocol=2")
    with pytest.raises(Misconfigured):
        memory.store_stm("a", 1)
    memory.store_ltm("PATTERN", "pump", {"confidence": 0.9})
    assert [one["pattern_id"] for one in memory.retrieve_ltm("PATTERN")] == ["pump"]
    memory.save_state({"n": 1})
    assert memory.load_state()["data"] == {"n": 1}
    found = memory.get_context_memory()
    assert [one["level"] for one in found["missing"]] == ["immediate"]
    assert "remove it" in found["missing"][0]["why"]


def test_wrong_addresses(plain):
    for endpoint, what in {
        "no-such-host.invalid:6379": "does not resolve",
        f"redis://{plain.endpoint}/99": "database",
    }.items():
        with pytest.raises(Misconfigured, match=what):
            memory_on(endpoint).store_stm("a", 1)
    assert memory_on(f"127.0.0.1:{free_port()}").store_stm("a", 1) is False  # a server that restarts refuses, too


@pytest.mark.parametrize("version", ["6.0.16", "5.0.7"])
def test_the_least_version_is_said(version):
    with (
        answering({b"HELLO": hello(version)}) as port,
        pytest.raises(Misconfigured, match=re.escape(f"{version}; Redis 6.2")),
    ):
        memory_on(f"127.0.0.1:{port}").store_stm("a", 1)


def test_a_server_that_does_not_know_hello():
    unknown = b"-ERR unknown command 'HELLO', with args beginning with: '3'\r\n"
    forbidden = b"-NOPERM this user has no permissions to run the 'info' command\r\n"
    with answering({b"HELLO": unknown, b"INFO": forbidden, b"GET": b"$1\r\n7\r\n"}) as port:
        with pytest.raises(Misconfigured, match=r"Redis 6\.2"):
            memory_on(f"127.0.0.1:{port}").retrieve_stm("a")
        assert memory_on(f"redis://127.0.0.1:{port}?protocol=2").retrieve_stm("a") == 7


# --- clients that are given ------------------------------------------------------------------------


def test_clients_with_other_pools(plain):
    pool = BlockingConnectionPool(port=plain.port, decode_responses=True)
    assert works(Redis(connection_pool=pool))
    assert works(Redis(port=plain.port, decode_responses=True, protocol=2))
    pool.disconnect()


@pytest.mark.slow
def test_a_cluster_by_the_address_of_any_node_and_by_its_client(cluster):
    agents = [f"agent-{number}" for number in range(8)]  # in several slots
    assert all(works(cluster[0].endpoint, agent) for agent in agents)
    assert all(works(f"redis://{cluster[2].endpoint}?protocol=2", agent) for agent in agents)
    assert all(works(Redis(port=cluster[1].port), agent) for agent in agents)
    client = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", cluster[1].port)], decode_responses=True)
    assert all(works(client, agent) for agent in agents)
    memory = memory_on(client)
    memory.store_stm("a", 1)
    memory.store_ltm("PATTERN", "pump", {})
    memory.retrieve_ltm("PATTERN")  # counts the read
    assert memory.forget(dry_run=False)["counts"]["short_term"] == 2
    with pytest.raises(Misconfigured, match="database 0"):
        memory_on(f"redis://{cluster[0].endpoint}/2").store_stm("a", 1)
    client.close()


@pytest.mark.slow
def test_a_cluster_with_tls(tmp_path, certificate):
    files = ["--tls-key-file", str(certificate[0]), "--tls-cert-file", str(certificate[1])]
    node = ["--port", "0", "--tls-port", "PORT", "--tls-cluster", "yes", "--tls-auth-clients", "no"]
    node += ["--tls-ca-cert-file", str(certificate[1])]
    mode = ["--cluster-enabled", "yes", "--cluster-config-file", str(tmp_path / "nodes"), *files]
    with redis_server(*node, *mode, "--cluster-announce-ip", "127.0.0.1", "--cluster-port", str(free_port())) as server:
        options = {"ssl": True, "ssl_ca_certs": str(certificate[1])}
        with Redis(host="127.0.0.1", port=server.port, **options) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)
            wait_until(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
        url = f"rediss://{server.endpoint}?ssl_ca_certs={certificate[1]}"
        assert works(url)
        for client in (RedisCluster.from_url(url), RedisCluster(host="127.0.0.1", port=server.port, **options)):
            assert works(client)
            client.close()


def test_sentinel(tmp_path, plain):
    port = free_port()
    settings = tmp_path / "sentinel.conf"
    settings.write_text(f"port {port}\nsentinel monitor primary 127.0.0.1 {plain.port} 1\n")
    sentinel = RedisServer.__new__(RedisServer)
    sentinel.port, sentinel._options, sentinel._binary = port, (), BINARY
    process = subprocess.Popen([BINARY, str(settings), "--sentinel"], stdout=subprocess.DEVNULL)
    sentinel._process = process
    try:
        wait_for_port(port)
        manager = Sentinel([("127.0.0.1", port)], socket_timeout=1)
        assert works(manager.master_for("primary", decode_responses=True))
        with pytest.raises(Misconfigured, match="master_for"):
            memory_on(f"127.0.0.1:{port}").store_stm("a", 1)
        for one in manager.sentinels:
            one.close()
    finally:
        sentinel.close()


# --- failures --------------------------------------------------------------------------------------


def test_a_replica_that_becomes_the_primary(plain):
    with redis_server() as replica:
        client = Redis(port=replica.port)
        memory = memory_on(replica.endpoint)
        assert memory.store_stm("a", 1) is True
        client.execute_command("REPLICAOF", "127.0.0.1", plain.port)
        assert memory.store_stm("a", 2) is False
        memory.retrieve_stm("a")  # is answered by the replica
        client.execute_command("REPLICAOF", "NO", "ONE")
        assert memory.store_stm("a", 3) is True
        assert memory.retrieve_stm("a") == 3
        client.close()


def test_connections_are_made_anew_when_the_primary_has_become_a_replica(monkeypatch):
    """As behind the name of a primary endpoint, which leads to the new primary after a failover."""
    with redis_server() as old, redis_server() as new:
        now = [old.port]
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, port, *rest, **options: (
                resolve("127.0.0.1", now[0], *rest, **options)
                if host == "primary.example"
                else resolve(host, port, *rest, **options)
            ),
        )
        memory = memory_on("primary.example:6379")
        assert memory.store_stm("a", 1) is True
        client = Redis(port=old.port)
        client.execute_command("REPLICAOF", "127.0.0.1", new.port)
        now[0] = new.port
        assert memory.store_stm("a", 2) is True  # at once, and not only after the old connection has failed
        assert memory.retrieve_stm("a") == 2
        client.close()


def test_a_server_that_is_full_answers_reads():
    with redis_server("--maxmemory-policy", "noeviction") as server:
        memory = memory_on(server.endpoint)
        memory.write_cycle(context={"trend": "up"}, queries=[1], signals=[2])
        memory.store_stm("a", 1)
        client = Redis(port=server.port)
        client.config_set("maxmemory", "1mb")
        for _ in range(5):  # more often than failures open the circuit
            assert memory.store_stm("a", 2) is False
            assert memory.write_cycle(context={"trend": "down"}) is False
            assert memory.retrieve_stm("a") == 1
            assert memory.read_cycle()["context"] == {"trend": "up"}
            assert memory.check_rate_limit("a", 9)["is_shared"] is False
            assert memory.get_context_memory()["complete"] is True
        client.config_set("maxmemory", "0")
        assert memory.store_stm("a", 2) is True
        client.close()


@pytest.mark.slow
def test_a_cluster_without_a_node_is_an_outage_that_ends(tmp_path):
    with redis_cluster(tmp_path, "--cluster-node-timeout", "500", "--cluster-require-full-coverage", "no") as servers:
        memories = [memory_on(servers[0].endpoint, f"agent-{number}") for number in range(8)]
        assert all(memory.store_stm("a", 1) for memory in memories)
        servers[2].pause()
        kept = [memory.store_stm("a", 2) for memory in memories]
        servers[2].resume()
        assert set(kept) == {True, False}  # the keys of the paused node are lost, those of the others are not


def test_foreign_values_are_named_and_the_rest_is_answered(plain, tmp_path):
    client = Redis(port=plain.port)
    memory = memory_on(plain.endpoint, "foreign")
    memory.write_cycle(context={"n": 1}, signals=[1], decision_ids=["d"], performance={"s": {"m": {"rate": 1}}})
    memory.store_stm("good", {"n": 1})
    for key, value in {
        "text": b"not json",
        "nan": "NaN",
        "huge": "1e999",
        "bytes": b"\xff",
        "deep": "[" * 9999,
    }.items():
        client.set(f"stm:{{foreign}}:{key}", value)
    client.lpush("stm:{foreign}:list", "1")
    client.xadd("stm:{foreign}:stream", {"a": "b"})
    client.set("stm:{foreign}:queries:recent", "1")
    client.set("stm:{foreign}:ratelimit:s", "soon")
    for key in ("text", "nan", "huge", "bytes", "deep", "list", "stream"):
        with pytest.raises(Unreadable, match=f"value of {key} cannot be read"):
            memory.retrieve_stm(key)
    found = memory.read_cycle(performance={"s": ["m"]})
    assert (found["context"], found["signals"], found["decision_ids"]) == ({"n": 1}, [1], ["d"])
    assert found["performance"] == {"s": {"m": {"rate": 1}}}
    assert (found["queries"], found["missing"], list(found["unreadable"])) == ([], ["queries"], ["queries:recent"])
    with pytest.raises(Unreadable, match="queries:recent"):
        memory.write_cycle(queries=[1])
    with pytest.raises(Unreadable, match="ratelimit:s"):
        memory.check_rate_limit("s", 5)
    memory.export(tmp_path / "all.zip")
    rows = zipfile.ZipFile(tmp_path / "all.zip").read("short_term.jsonl").decode().splitlines()
    by_key = {row["key"]: row for row in map(json.loads, rows)}
    assert by_key["good"]["data"] == {"n": 1}
    bad = {key for key, row in by_key.items() if "unreadable" in row}
    assert bad >= {"text", "nan", "huge", "bytes", "deep", "stream"}
    client.set("stm:{foreign}:context:current", "no json")
    client.zadd("stm:{foreign}:state:current", {"3": 1})
    assert "context:current" in memory.get_context_memory()["missing"][0]["why"]
    memory.save_state({"n": 1})
    assert memory.load_state()["data"] == {"n": 1}
    assert memory.store_stm("text", 1) is True
    assert memory.retrieve_stm("text") == 1
    client.set("stm:accesses:{foreign}:2026-11-27", "no hash")
    memory.clear_stm()
    client.close()


def test_objects_that_are_no_client_are_refused():
    for client, hint in {
        redis_asyncio.Redis(): "without asyncio",
        redis_asyncio.RedisCluster(host="h"): "without asyncio",
        Sentinel([("h", 1)]): "master_for",
        "127.0.0.1:6379": "redis_endpoint=",
        object(): "redis.Redis",
    }.items():
        with pytest.raises(InvalidInput, match=f"redis_client: .*{hint}"):
            MemoryManager("hunter", client, dynamodb_client=_Client())


class _Client:
    """Enough of a DynamoDB client for a constructor."""

    def put_item(self):
        """As boto3's."""


@pytest.mark.parametrize("version", BINARIES)
def test_limits_are_shared_on_every_version(version):
    if BINARIES[version] is None:
        pytest.skip(WITHOUT[version])
    with redis_server(binary=BINARIES[version]) as server:
        memories = [memory_on(server.endpoint, "limited") for _ in range(2)]  # like two processes
        limits = [memory.check_rate_limit("s", 5) for memory in memories for _ in range(4)]
    assert [one["allowed"] for one in limits] == [True] * 5 + [False] * 3
    assert all(one["is_shared"] for one in limits)
