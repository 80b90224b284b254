"""The local cloud with a cache that has TLS and users: agents and functions work by configuration alone."""

import os

import boto3
import pytest
import redis

from agent_memory import AgentMemoryClient, AWSMemoryClients, DecisionLogger, MemoryManager
from local import LocalCloud
from local.cache_tls import USER
from local.layout import Layout

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    layout = Layout(state=tmp_path_factory.mktemp("cloud") / "state")
    with LocalCloud(layout, cache_tls=True) as started:
        yield started


@pytest.fixture
def in_the_cloud(cloud, monkeypatch):
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it may have the credentials of another cloud
    return cloud


async def test_the_code_of_the_design_reaches_the_cache_by_configuration(in_the_cloud):
    memory_manager = MemoryManager(
        agent_id="market-hunter",
        redis_endpoint=os.environ["REDIS_ENDPOINT"],
        dynamodb_table_prefix="agent-memory",
    )
    decision_logger = DecisionLogger(agent_id="market-hunter", memory_manager=memory_manager)
    assert await memory_manager.store_stm("queries:derivatives:latest", {"reading": 0.87}, ttl_seconds=3600) is True
    assert await memory_manager.retrieve_stm("queries:derivatives:latest", strict=True) == {"reading": 0.87}
    await memory_manager.write_cycle(context={"trend": "bullish"}, signals=["buy"])
    found = await memory_manager.read_cycle()
    assert (found["context"], found["missing"]) == ({"trend": "bullish"}, [])
    decision_id = await decision_logger.log_decision("QUERY", {"market": {"trend": "up"}}, {})
    assert (await decision_logger.get_decision(decision_id))["decision_id"] == decision_id
    assert memory_manager.stm_metrics().failures == 0
    assert await memory_manager.clear_stm() >= 1


async def test_the_function_uses_the_same_cache(in_the_cloud):
    direct = MemoryManager("shared", redis_endpoint=os.environ["REDIS_ENDPOINT"])
    async with AgentMemoryClient(in_the_cloud.api_url, "shared", session=in_the_cloud.boto_session()) as client:
        await client.store_stm("context:current", {"trend": "up"}, 60)
        assert await direct.retrieve_stm("context:current", strict=True) == {"trend": "up"}


def test_nothing_reaches_the_cache_without_tls_the_authority_or_the_user(in_the_cloud):
    endpoint = os.environ["REDIS_ENDPOINT"]
    assert endpoint.startswith(f"rediss://{USER}:")
    address = endpoint.partition("@")[2].partition("?")[0]
    host, _, port = address.partition(":")
    with pytest.raises(redis.ConnectionError):
        redis.Redis(host, int(port)).ping()
    with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
        AWSMemoryClients.get_redis_client(f"rediss://{endpoint.split('://')[1].partition('?')[0]}").ping()
    authority = endpoint.partition("?")[2]
    with pytest.raises(redis.AuthenticationError):
        AWSMemoryClients.get_redis_client(f"rediss://{address}?{authority}").get("stm:{market-hunter}:x")
    client = AWSMemoryClients.get_redis_client(endpoint)
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.get("others:key")
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.flushall()


async def test_certificates_are_new_at_each_start_and_the_functions_go_on(in_the_cloud):
    authority = in_the_cloud.layout.cache_tls / "authority.pem"
    certificate = authority.read_bytes()
    assert (in_the_cloud.layout.cache_tls.stat().st_mode & 0o077, authority.is_file()) == (0, True)
    assert not list(in_the_cloud.layout.cache_tls.glob("authority.key"))
    in_the_cloud.stop()
    in_the_cloud.start()
    assert authority.read_bytes() != certificate
    assert AWSMemoryClients.get_redis_client(in_the_cloud.redis_endpoint).get("stm:{market-hunter}:x") is None
    async with AgentMemoryClient(in_the_cloud.api_url, "shared", session=in_the_cloud.boto_session()) as client:
        await client.store_stm("context:current", {"trend": "down"}, 60)
