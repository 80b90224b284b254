"""The setting that says where the cache is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import InvalidInput
from agent_memory.storage.factory import open_stores, redis_client_for
from agent_memory.storage.redis.address import redis_url, url_from_environment, without_password
from agent_memory.storage.redis.iam_token import ElastiCacheToken

HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)
SECRETS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20)
PORTS = st.integers(1, 65_535)


def settings_of(setting, **options):
    return redis_client_for(setting, **options).connection_pool


@given(host=HOSTS, port=PORTS, tls=st.booleans())
def test_host_and_port(host, port, tls):
    pool = settings_of(f"{host}:{port}", tls=tls)
    assert (pool.connection_kwargs["host"], pool.connection_kwargs["port"]) == (host, port)
    assert ("SSL" in pool.connection_class.__name__) is tls


@given(host=HOSTS, port=PORTS, user=SECRETS, password=SECRETS, database=st.integers(0, 15), tls=st.booleans())
def test_urls(host, port, user, password, database, tls):
    from urllib.parse import quote

    credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
    pool = settings_of(f"{'rediss' if tls else 'redis'}://{credentials}@{host}:{port}/{database}")
    found = [pool.connection_kwargs[name] for name in ("host", "port", "username", "password", "db")]
    assert found == [host, port, user, password, database]
    assert ("SSL" in pool.connection_class.__name__) is tls


@pytest.mark.parametrize(
    ("setting", "host", "port"),
    [
        ("[::1]:6379", "::1", 6379),
        ("redis://[fe80::1]:1/2", "fe80::1", 1),
        ("rediss://h", "h", None),
        ("REDIS://h:1", "h", 1),
    ],
)
def test_other_forms(setting, host, port):
    found = settings_of(setting).connection_kwargs
    assert (found["host"], found.get("port")) == (host, port)


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "h",
        "h:",
        "h:x",
        "h:0",
        "h:70000",
        ":6379",
        "::1:6379",
        "[::1:6379",
        "h:1/0",
        " h:1",
        "h:1\n",
        "h:1,h:2",
        "https://h:1",
        "redis://",
        "redis://:6379",
        "redis:/h:1",
        "redis://h:1/x",
        "redis://h:1/0/1",
        "redis://h:1#x",
        "redis://h:1?foo=1",
        "redis://h:1?db=x",
        "redis://h:1?protocol=9",
        "redis://h:1?ssl_ca_certs=/etc/hostname",
        "rediss://h:1?ssl_ca_certs=/no/such/file",
        "rediss://h:1?ssl_cert_reqs=perhaps",
        "redis://h:1?socket_timeout=-1",
        "redis://h:1?socket_timeout=nan",
        "redis://h:1?socket_connect_timeout=0",
        "redis://h:1?socket_keepalive_options=x",
        "redis://h:1?redis_connect_func=x",
        "redis://h:1?encoding=utf-16",
        "redis://h..x:1",
        f"{'h' * 64}.com:1",
        "redis://u@h:1?iam=c",
        "rediss://h:1?iam=c",
        "rediss://u@h:1?iam=",
        "rediss://u@h:1?iam=a&iam_serverless=b",
        7,
        b"h:1",
    ],
)
def test_what_cannot_be_used_is_refused_in_the_constructor(setting):
    with pytest.raises(InvalidInput, match="redis_endpoint"):
        redis_client_for(setting)


@pytest.mark.parametrize(
    "setting",
    ["redis://u:s3cret@h:x", "u:s3cret@h:1", "redis://u:s3c/s3cret@h:1", "s3cret@h", "http://h?password=s3cret"],
)
def test_no_message_contains_a_password(setting):
    with pytest.raises(InvalidInput) as refused:
        redis_client_for(setting)
    assert "s3cret" not in f"{refused.value} {refused.value.__cause__}"
    assert "s3cret" not in without_password(setting)


def test_tls_that_is_demanded_is_not_left_out():
    with pytest.raises(InvalidInput, match="rediss://"):
        redis_url("redis://h:1", tls=True)
    assert redis_url("rediss://h:1", tls=True) == "rediss://h:1"


def test_options_in_the_url_replace_the_short_timeouts():
    found = settings_of("redis://h:1?socket_timeout=3").connection_kwargs
    assert (found["socket_timeout"], found["socket_connect_timeout"]) == (3.0, 1.0)


@pytest.mark.parametrize(("option", "resource"), [("iam", ""), ("iam_serverless", "ResourceType=ServerlessCache")])
def test_iam_in_the_url(monkeypatch, option, resource):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    found = settings_of(f"rediss://memory-api@h:6380?{option}=my-cache").connection_kwargs
    user, token = found["credential_provider"].get_credentials()
    assert (user, "username" in found, "my-cache/?Action=connect" in token) == ("memory-api", False, True)
    assert resource in token


def test_a_token_that_cannot_be_signed_says_what_is_missing(monkeypatch, tmp_path):
    from redis.exceptions import AuthenticationError

    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AuthenticationError, match="AWS_DEFAULT_REGION"):
        ElastiCacheToken("user", "cache").get_credentials()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with pytest.raises(AuthenticationError, match="credentials"):
        ElastiCacheToken("user", "cache").get_credentials()


def test_the_environment_as_the_stacks_set_it():
    endpoint = {"AGENT_MEMORY_REDIS_ENDPOINT": "h:6380"}
    tls = {"AGENT_MEMORY_REDIS_TLS": "true"}
    iam = {"AGENT_MEMORY_REDIS_USER": "memory-api", "AGENT_MEMORY_REDIS_CACHE": "my-cache"}
    assert url_from_environment({}) is None
    assert url_from_environment({"AGENT_MEMORY_REDIS_ENDPOINT": ""}) is None
    assert url_from_environment(endpoint) == "redis://h:6380"
    assert url_from_environment(endpoint | tls) == "rediss://h:6380"
    assert url_from_environment(endpoint | tls | iam) == "rediss://memory-api@h:6380?iam=my-cache"
    with pytest.raises(InvalidInput, match="AGENT_MEMORY_REDIS_TLS"):
        url_from_environment(endpoint | {"AGENT_MEMORY_REDIS_TLS": "yes"})
    with pytest.raises(InvalidInput, match="AGENT_MEMORY_REDIS_CACHE"):
        url_from_environment(endpoint | tls | {"AGENT_MEMORY_REDIS_USER": "u"})


def test_stores_are_opened_as_the_environment_says(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AGENT_MEMORY_REDIS_ENDPOINT", "h")
    with pytest.raises(InvalidInput, match="AGENT_MEMORY_REDIS_ENDPOINT"):
        open_stores()
    monkeypatch.setenv("AGENT_MEMORY_REDIS_ENDPOINT", "rediss://u:p@h:1")
    assert open_stores().short_term is not None
    with pytest.raises(InvalidInput, match="redis_endpoint"):
        open_stores(redis_endpoint="h")
