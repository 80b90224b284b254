import platform
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from stacks.config import RENAMED, ConfigError, DeployConfig, deprecations


def config(**context):
    return DeployConfig.from_context(context)


def test_defaults_are_a_full_deployment_in_aws():
    settings = config()
    assert (settings.profile, settings.prefix, settings.python_version, settings.architecture) == (
        "aws",
        "agent-memory",
        "3.13",
        "arm64",
    )
    assert settings.data_outlives_stack
    assert (settings.account, settings.region) == (None, None)


def test_local_runs_on_the_interpreter_and_processor_at_hand():
    settings = config(profile="local", redis_endpoint="127.0.0.1:6379")
    assert settings.python_version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (settings.architecture == "arm64") == (platform.machine().lower() in {"arm64", "aarch64"})
    assert not settings.data_outlives_stack


def test_text_from_the_command_line_becomes_numbers_and_booleans():
    settings = config(map_concurrency="7", keep_data="false", nightly_time="23:05")
    assert settings.map_concurrency == 7
    assert not settings.data_outlives_stack
    assert settings.nightly_hour_and_minute == ("23", "5")


@pytest.mark.parametrize(("former", "current"), RENAMED.items())
def test_a_former_name_of_a_setting_is_accepted_with_a_message(former, current):
    value = {"night_time": "23:05", "night_concurrency": "5"}[former]
    assert config(**{former: value}) == config(**{current: value})
    assert deprecations({former: value, "cache": "off"}) == [
        f"context key {former} is deprecated: the setting is called {current} now; rename it in cdk.json or after -c"
    ]
    assert deprecations({current: value}) == []
    with pytest.raises(ConfigError, match=f"context key {former}: it is called {current} now, which is set as well"):
        config(**{former: value, current: value})


def test_keys_of_the_cdk_are_ignored():
    settings = config(
        **{"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:bundling-stacks": ["*"], "tree": 1, "cli-telemetry": False}
    )
    assert settings == config()


@pytest.mark.parametrize(
    ("context", "key", "reason"),
    [
        ({"prefix": "Agent_Memory"}, "prefix", "2 to 24 lower-case letters"),
        ({"prefix": "a" * 25}, "prefix", "2 to 24"),
        ({"prefix": "agent--memory"}, "prefix", "single hyphens"),
        ({"profile": "azure"}, "profile", "'aws' or 'local'"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "no such time zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "no such time zone"),
        ({"nightly_time": "24:00"}, "nightly_time", "HH:MM"),
        ({"map_concurrency": "0"}, "map_concurrency", "1 to 1,000"),
        ({"map_concurrency": "many"}, "map_concurrency", "integer"),
        ({"account": "1234"}, "account", "12 digits"),
        ({"account": "123456789012"}, "region", "required together with account"),
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
            "profile=local does not support it",
        ),
        ({"cache": "maybe"}, "cache", "boolean"),
        ({"flow_logs": "some"}, "flow_logs", "'off', 'rejected' or 'all'"),
        ({"audit_trail": "on"}, "audit_trail", "'off', 'writes' or 'all'"),
        ({"encryption_key": "mine"}, "encryption_key", "'aws' or 'own'"),
        ({"table_max_write_units": "40001"}, "table_max_write_units", "0 to 40,000"),
        ({"table_max_read_units": "-1"}, "table_max_read_units", "0 to 40,000"),
        ({"api_concurrency": "1001"}, "api_concurrency", "0 to 1,000"),
        ({"nightly_concurrency": "-1"}, "nightly_concurrency", "0 to 1,000"),
        ({"api_search_burst": "0"}, "api_search_burst", "1 to 5,000"),
        ({"log_retention_days": "31"}, "log_retention_days", "1, 3, 5, 7, 14, 30"),
        ({"metrics_namespace": "a b"}, "metrics_namespace", "namespace"),
        ({"alarm_email": "nobody"}, "alarm_email", "e-mail"),
        ({"profile": "local"}, "redis_endpoint", "required with profile=local"),
        ({"profile": "local", "redis_endpoint": "6379"}, "redis_endpoint", "not host:port"),
        ({"profile": "local", "redis_endpoint": "h:99999"}, "redis_endpoint", "not host:port"),
        ({"redis_endpoint": "127.0.0.1:6379"}, "redis_endpoint", "only profile=local"),
    ],
)
def test_an_invalid_value_is_refused_by_its_key(context, key, reason):
    with pytest.raises(ConfigError) as error:
        config(**context)
    text = str(error.value)
    assert text.startswith(f"context key {key}: ")
    assert reason in text
    assert f"-c {key}=" in text


@given(reserved=st.integers(0, 1_000), agents=st.integers(1, 1_000))
def test_agents_at_once_fit_into_the_concurrency_reserved_for_their_functions(reserved, agents):
    context = {"nightly_concurrency": str(reserved), "map_concurrency": str(agents)}
    if reserved == 0 or reserved >= agents:
        assert config(**context).map_concurrency == agents
    else:
        with pytest.raises(ConfigError, match=f"context key nightly_concurrency: {reserved} is less than map"):
            config(**context)


def test_the_default_of_agents_at_once_counts_as_well():
    with pytest.raises(ConfigError, match="nightly_concurrency: 3 is less than map_concurrency=5"):
        config(nightly_concurrency="3")
    with pytest.raises(ConfigError, match="nightly_concurrency: 3 is less than map_concurrency=5"):
        config(night_concurrency="3")
    assert config(nightly_concurrency="3", map_concurrency="3").nightly_concurrency == 3


@given(
    quota=st.integers(1, 3_000),
    api=st.sampled_from([0, 1, 50, 1_000]),
    nightly=st.sampled_from([0, 5, 100, 200]),
    agents=st.sampled_from([1, 5]),
)
def test_what_is_reserved_fits_into_the_accounts_quota(quota, api, nightly, agents):
    """New accounts have as few as 10 concurrent executions; Lambda reserves none of the last 100."""
    context = {
        "account_concurrency": str(quota),
        "api_concurrency": str(api),
        "nightly_concurrency": str(nightly),
        "map_concurrency": str(agents),
    }
    reserved = api + 5 * nightly
    if agents >= quota:
        expected = "map_concurrency: the nightly job would use all"
    elif reserved and reserved > quota - 100:
        expected = f"account_concurrency: .* reserve {reserved}"
    else:
        assert config(**context).account_concurrency == quota
        return
    with pytest.raises(ConfigError, match=f"context key {expected}"):
        config(**context)


def test_a_new_account_gets_the_default_deployment():
    assert config(account_concurrency="10").map_concurrency == 5
    for setting in ("api_concurrency", "nightly_concurrency"):
        with pytest.raises(ConfigError, match="reserve less, or ask AWS for a higher quota"):
            config(account_concurrency="10", **{setting: "5"})


def test_every_invalid_value_is_named_at_once():
    with pytest.raises(ConfigError) as error:
        config(prefix="X", cache_nodes="0")
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "context key prefix",
        "context key cache_nodes",
    ]


def test_an_unknown_key_is_refused_with_the_one_meant():
    with pytest.raises(ConfigError, match="context key map_concurency: there is no such setting; did you mean map_con"):
        config(map_concurency="3")


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        config().prefix = "other"
