import pytest

from agent_memory.api.deployment import deployment
from agent_memory.api.settings import BadEnvironment, FunctionSettings
from agent_memory.core.ids import shard_of
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.redis.iam_token import ElastiCacheToken


def test_settings_are_read_from_the_environment():
    settings = FunctionSettings.from_environment(
        {"AGENT_MEMORY_TABLE_PREFIX": "p", "AGENT_MEMORY_REDIS_ENDPOINT": "h:6379", "AGENT_MEMORY_REDIS_TLS": "true"}
    )
    assert (settings.table_prefix, settings.redis_endpoint, settings.redis_tls) == ("p", "h:6379", True)
    assert (settings.archive_bucket, settings.write_shards) == (None, 1)


def test_decisions_are_distributed_over_the_configured_shards(monkeypatch):
    monkeypatch.setattr(FunctionSettings, "open_stores", lambda _: in_memory_stores())
    monkeypatch.setenv("AGENT_MEMORY_TABLE_PREFIX", "p")
    monkeypatch.setenv("AGENT_MEMORY_WRITE_SHARDS", "32")
    deployment.cache_clear()
    log = deployment().decision_log("market-hunter")
    deployment.cache_clear()
    logged = log.log([{"decision_type": "QUERY", "context": {}, "reasoning": {}}] * 40)
    assert len({shard_of(result.decision_id) for result in logged}) > 1


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "AGENT_MEMORY_TABLE_PREFIX"),
        ({"AGENT_MEMORY_REDIS_TLS": "yes"}, "AGENT_MEMORY_REDIS_TLS"),
        ({"AGENT_MEMORY_REDIS_ENDPOINT": "host"}, "AGENT_MEMORY_REDIS_ENDPOINT"),
        ({"AGENT_MEMORY_WRITE_SHARDS": "0"}, "AGENT_MEMORY_WRITE_SHARDS"),
        ({"AGENT_MEMORY_WRITE_SHARDS": "33"}, "AGENT_MEMORY_WRITE_SHARDS"),
        ({"AGENT_MEMORY_WRITE_SHARDS": "-1"}, "AGENT_MEMORY_WRITE_SHARDS"),
        ({"AGENT_MEMORY_WRITE_SHARDS": "few"}, "AGENT_MEMORY_WRITE_SHARDS"),
    ],
)
def test_a_bad_environment_names_the_variable(environment, name):
    complete = {"AGENT_MEMORY_TABLE_PREFIX": "p"} if environment else {}
    with pytest.raises(BadEnvironment, match=name):
        FunctionSettings.from_environment(complete | environment)


def test_the_cache_token_is_a_signed_url_without_the_scheme(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    user, token = ElastiCacheToken("memory-api", "agent-memory").get_credentials()
    assert user == "memory-api"
    assert token.startswith("agent-memory/?Action=connect&User=memory-api&")
    assert "eu-central-1%2Felasticache%2Faws4_request" in token
    assert "X-Amz-Expires=900" in token
    assert "X-Amz-Signature=" in token
