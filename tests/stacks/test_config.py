import platform
import sys

import pytest

from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from stacks.config import ConfigError, DeployConfig


def config(**context):
    return DeployConfig.from_context(context)


def test_defaults_are_a_full_deployment_in_aws():
    made = config()
    assert (made.profile, made.prefix, made.python_version, made.architecture) == (
        "aws",
        "agent-memory",
        "3.13",
        "arm64",
    )
    assert made.data_outlives_stack
    assert (made.account, made.region) == (None, None)


def test_local_runs_on_the_interpreter_and_processor_at_hand():
    made = config(profile="local", redis_endpoint="127.0.0.1:6379")
    assert made.python_version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (made.architecture == "arm64") == (platform.machine().lower() in {"arm64", "aarch64"})
    assert not made.data_outlives_stack


def test_text_from_the_command_line_becomes_numbers_and_booleans():
    made = config(map_concurrency="7", keep_data="false", night_time="23:05")
    assert made.map_concurrency == 7
    assert not made.data_outlives_stack
    assert made.night_hour_and_minute == ("23", "5")


def test_keys_of_the_cdk_are_passed_over():
    made = config(
        **{"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:bundling-stacks": ["*"], "tree": 1, "cli-telemetry": False}
    )
    assert made == config()


@pytest.mark.parametrize(
    ("context", "key", "reason"),
    [
        ({"prefix": "Agent_Memory"}, "prefix", "2 to 24 lower-case letters"),
        ({"prefix": "a" * 25}, "prefix", "2 to 24"),
        ({"prefix": "agent--memory"}, "prefix", "single hyphens"),
        ({"profile": "azure"}, "profile", "'aws' or 'local'"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "no such time zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "no such time zone"),
        ({"night_time": "24:00"}, "night_time", "HH:MM"),
        ({"map_concurrency": "0"}, "map_concurrency", "1 to 1,000"),
        ({"map_concurrency": "many"}, "map_concurrency", "integer"),
        ({"account": "1234"}, "account", "12 digits"),
        ({"account": "123456789012"}, "region", "needed beside account"),
        ({"region": "Frankfurt"}, "region", "AWS region"),
        ({"cache_node_type": "t4g.micro"}, "cache_node_type", "node type"),
        ({"cache_nodes": "9"}, "cache_nodes", "1 to 6"),
        ({"write_shards": "0"}, "write_shards", "1 to 32"),
        ({"write_shards": "33"}, "write_shards", "1 to 32"),
        ({"write_shards": "2.5"}, "write_shards", "integer"),
        ({"archive_bucket": "Acme_Archive"}, "archive_bucket", "3 to 63"),
        ({"archive_lock_days": "0"}, "archive_lock_days", f"1 to {EXPIRE_AFTER_DAYS:,}"),
        ({"archive_lock_days": str(EXPIRE_AFTER_DAYS + 1)}, "archive_lock_days", f"1 to {EXPIRE_AFTER_DAYS:,}"),
        (
            {"archive_lock_days": "30", "profile": "local", "redis_endpoint": "127.0.0.1:6379"},
            "archive_lock_days",
            "profile=local takes none",
        ),
        ({"cache": "maybe"}, "cache", "boolean"),
        ({"flow_logs": "some"}, "flow_logs", "'off', 'rejected' or 'all'"),
        ({"audit_trail": "on"}, "audit_trail", "'off', 'writes' or 'all'"),
        ({"encryption_key": "mine"}, "encryption_key", "'aws' or 'own'"),
        ({"table_max_write_units": "40001"}, "table_max_write_units", "up to 40,000"),
        ({"table_max_read_units": "-1"}, "table_max_read_units", "up to 40,000"),
        ({"api_concurrency": "1001"}, "api_concurrency", "up to 1,000"),
        ({"night_concurrency": "-1"}, "night_concurrency", "up to 1,000"),
        ({"api_search_burst": "0"}, "api_search_burst", "1 to 5,000"),
        ({"log_retention_days": "31"}, "log_retention_days", "1, 3, 5, 7, 14, 30"),
        ({"metrics_namespace": "a b"}, "metrics_namespace", "namespace"),
        ({"alarm_email": "nobody"}, "alarm_email", "e-mail"),
        ({"profile": "local"}, "redis_endpoint", "needed with profile=local"),
        ({"profile": "local", "redis_endpoint": "6379"}, "redis_endpoint", "not host:port"),
        ({"profile": "local", "redis_endpoint": "h:99999"}, "redis_endpoint", "not host:port"),
        ({"redis_endpoint": "127.0.0.1:6379"}, "redis_endpoint", "only profile=local"),
    ],
)
def test_an_unusable_value_is_refused_by_its_key(context, key, reason):
    with pytest.raises(ConfigError) as refused:
        config(**context)
    text = str(refused.value)
    assert text.startswith(f"context key {key}: ")
    assert reason in text
    assert f"-c {key}=" in text


def test_every_unusable_value_is_named_at_once():
    with pytest.raises(ConfigError) as refused:
        config(prefix="X", cache_nodes="0")
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "context key prefix",
        "context key cache_nodes",
    ]


def test_an_unknown_key_is_refused_with_the_one_meant():
    with pytest.raises(ConfigError, match="context key map_concurency: there is no such setting; did you mean map_con"):
        config(map_concurency="3")


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        config().prefix = "other"
