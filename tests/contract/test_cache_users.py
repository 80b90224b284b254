"""Users of the cache: what the access string of one agent permits, on real servers, and how users are named."""

import re

import pytest
import redis
from hypothesis import assume, given
from hypothesis import strategies as st

from agent_memory import MemoryManager, Misconfigured
from agent_memory.core.ids import PATTERNS
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.redis.connection import redis_client_for
from agent_memory.storage.redis.short_term import RedisShortTerm
from agent_memory.storage.schema import cache_access, cache_user
from tests.redis_servers import BINARIES, WITHOUT, redis_server

AGENT_IDS = st.from_regex(PATTERNS["agent_id"], fullmatch=True)


@pytest.fixture(scope="module", params=["installed", "valkey"])
def server(request):
    if BINARIES[request.param] is None:
        pytest.skip(WITHOUT[request.param])
    user = ["--user", "default", "off", "--user", "scout", *cache_access("scout").split(), ">secret"]
    everything = ["--user", "admin", "on", "~*", "+@all", ">secret"]
    with redis_server(*user, *everything, binary=BINARIES[request.param]) as started:
        yield started


def memory_of(agent_id, server, user="scout"):
    stores = in_memory_stores()
    client = redis_client_for(f"redis://{user}:secret@{server.endpoint}?socket_timeout=5")
    stores = type(stores)(**{**vars_of(stores), "short_term": RedisShortTerm(client)})
    return MemoryManager(agent_id, stores=stores), client


def vars_of(stores):
    return {name: getattr(stores, name) for name in stores.__dataclass_fields__}


async def test_an_agents_user_does_everything_with_its_own_keys(server):
    memory, client = memory_of("scout", server)
    assert await memory.store_stm("a", {"n": 1}, 60) is True
    assert await memory.retrieve_stm("a", strict=True) == {"n": 1}
    assert await memory.write_cycle(context={"trend": "up"}, signals=["buy"]) is True
    assert (await memory.read_cycle())["missing"] == []
    assert (await memory.check_rate_limit("derivatives", limit=1, window_seconds=60))["allowed"] is True
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5})
    assert len(await memory.retrieve_ltm("PATTERN")) == 1  # its read is counted in the cache
    assert memory.stm_metrics().failures == 0
    assert await memory.clear_stm() >= 3
    client.close()


@pytest.mark.parametrize("other", ["gatherer", "scout-2", "scou", "scout.x"])
async def test_an_agents_user_neither_reads_nor_changes_the_keys_of_others(server, other):
    owner, admin = memory_of(other, server, user="admin")
    await owner.store_stm("a", {"n": 1}, 60)
    intruder, client = memory_of(other, server)
    with pytest.raises(Misconfigured, match="permission"):
        await intruder.retrieve_stm("a", strict=True)
    with pytest.raises(Misconfigured, match="permission"):
        await intruder.store_stm("a", {"n": 2}, 60)
    for command in ("KEYS *", "FLUSHALL", "CONFIG GET *", "ACL LIST"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())
    assert await owner.retrieve_stm("a", strict=True) == {"n": 1}
    admin.close()
    client.close()


@given(AGENT_IDS, AGENT_IDS, st.sampled_from(["agent-memory", "ab", "desk-of-twenty-four-char"]))
def test_users_have_names_that_elasticache_accepts_and_no_two_agents_share_one(one, other, prefix):
    assume(one != other)
    name = cache_user(prefix, one)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
    assert len(name) <= 40
    assert name != cache_user(prefix, other)
    assert name != f"{prefix}-api"


@pytest.mark.parametrize("agent_id", ["api", "a--b", "a-", "btc.scout", "btc_scout", "x" * 63])
def test_ids_that_are_not_user_names_get_users_of_their_own(agent_id):
    alike = re.sub(r"[^a-z0-9]+", "-", agent_id).rstrip("-")
    assert cache_user("agent-memory", agent_id) != cache_user("agent-memory", alike + "-x")
