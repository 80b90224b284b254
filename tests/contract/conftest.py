"""The contract tests run on every kind of store: in memory, SQLite, moto, Amazon's DynamoDB Local,
and the local cloud's services."""

import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from agent_memory import MemoryManager
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.factory import in_memory_stores, open_stores
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.parquet.evidence import ParquetEvidence
from agent_memory.storage.sqlite.stores import sqlite_stores
from tests.aws_tables import create_tables
from tests.contract.statements import StatementsAsItemCalls
from tests.dynamodb_local import TOO_OLD, OfItsAge, dynamodb_local


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
        yield _deploy(clock, redis_client, StatementsAsItemCalls(boto3.client("dynamodb")), boto3.client("s3"))


@pytest.fixture
def embedded_stores(clock):
    """Stores in a file, in memory where the system has a folder for that: they wait for the disk at each commit."""
    in_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as folder:
        yield sqlite_stores(Path(folder) / "memory.db", clock)


@pytest.fixture(scope="session")
def dynamodb_local_server():
    with dynamodb_local() as settings:
        yield settings


@pytest.fixture
def dynamodb_local_stores(request, clock, redis_client, dynamodb_local_server):
    """Tables in DynamoDB Local and a bucket in memory, as it has none."""
    if request.node.originalname in TOO_OLD:
        pytest.skip(TOO_OLD[request.node.originalname])
    client = OfItsAge(boto3.client("dynamodb", **dynamodb_local_server))
    prefix = f"contract-{secrets.token_hex(4)}"
    create_tables(client, prefix)
    blobs = InMemoryBlobs()
    stores = open_stores(table_prefix=prefix, dynamodb_client=client, redis_client=redis_client, clock=clock)
    return replace(
        stores,
        decisions=DynamoDBDecisions(client, prefix, clock, blobs=blobs),
        blobs=blobs,
        archive=ParquetArchive(blobs),
        evidence=ParquetEvidence(blobs),
    )


def _deploy(clock, redis_client, dynamodb, s3):
    prefix = f"contract-{secrets.token_hex(4)}"
    create_tables(dynamodb, prefix)
    bucket = f"{prefix}-archive"
    s3.create_bucket(Bucket=bucket)
    clients = {"dynamodb_client": dynamodb, "s3_client": s3, "redis_client": redis_client}
    return open_stores(table_prefix=prefix, archive_bucket=bucket, clock=clock, **clients)


@pytest.fixture(
    params=[
        "in_memory",
        "sqlite",
        pytest.param("moto", marks=pytest.mark.slow),
        pytest.param("dynamodb_local", marks=[pytest.mark.slow, pytest.mark.xdist_group("dynamodb_local")]),
        pytest.param("local_cloud", marks=pytest.mark.local_cloud),
    ]
)
def stores(request, clock):
    """The stores of one deployment, empty."""
    if request.param == "in_memory":
        return in_memory_stores(clock)
    if request.param == "sqlite":
        return request.getfixturevalue("embedded_stores")
    if request.param == "moto":
        return request.getfixturevalue("moto_stores")
    if request.param == "dynamodb_local":
        return request.getfixturevalue("dynamodb_local_stores")
    session = request.getfixturevalue("local_cloud").boto_session()
    clients = [session.client(service) for service in ("dynamodb", "s3")]
    return _deploy(clock, request.getfixturevalue("redis_client"), *clients)


@pytest.fixture
def atomic_stores(request, stores):
    """The stores whose conditional writes are atomic, on which races can be tested: all but moto's."""
    if "moto" in request.node.callspec.params.values():
        pytest.skip("moto checks a condition and writes in two steps, so that conditional writes are not atomic")
    return stores


@pytest.fixture
def memory(stores, clock):
    """The memory of the agent `hunter`."""
    return MemoryManager("hunter", stores=stores, clock=clock).sync
