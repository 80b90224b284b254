"""The contract tests run on every kind of store: in memory, moto, and the local cloud's services."""

import secrets

import boto3
import pytest
from moto import mock_aws

from agent_memory.storage.factory import in_memory_stores, open_stores
from tests.aws_tables import create_tables
from tests.contract.moto_partiql import PartiQLOnMoto


@pytest.fixture
def redis_client():
    import fakeredis

    return fakeredis.FakeRedis()


@pytest.fixture
def moto_stores(clock, redis_client, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield _deploy(clock, redis_client, PartiQLOnMoto(boto3.client("dynamodb")), boto3.client("s3"))


def _deploy(clock, redis_client, dynamodb, s3):
    prefix = f"contract-{secrets.token_hex(4)}"
    create_tables(dynamodb, prefix)
    bucket = f"{prefix}-archive"
    s3.create_bucket(Bucket=bucket)
    return open_stores(
        table_prefix=prefix,
        archive_bucket=bucket,
        dynamodb_client=dynamodb,
        s3_client=s3,
        redis_client=redis_client,
        clock=clock,
    )


@pytest.fixture(
    params=[
        "in_memory",
        pytest.param("moto", marks=pytest.mark.slow),
        pytest.param("local_cloud", marks=pytest.mark.local_cloud),
    ]
)
def stores(request, clock):
    """The stores of one deployment, empty."""
    if request.param == "in_memory":
        return in_memory_stores(clock)
    if request.param == "moto":
        return request.getfixturevalue("moto_stores")
    session = request.getfixturevalue("local_cloud").boto_session()
    clients = [session.client(service) for service in ("dynamodb", "s3")]
    return _deploy(clock, request.getfixturevalue("redis_client"), *clients)


@pytest.fixture
def atomic_stores(request, stores):
    """The stores whose conditional writes are atomic, on which races can be tested: all but moto's."""
    if "moto" in request.node.callspec.params.values():
        pytest.skip("moto checks a condition and writes in two steps, so that conditional writes are not atomic")
    return stores
