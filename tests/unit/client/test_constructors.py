"""Arguments of a wrong kind are refused where they are passed, not in every later call."""

import boto3
import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, in_memory_stores


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


class Asynchronous:
    """A client as those of aioboto3."""

    async def put_item(self):
        """As boto3's, but to be awaited."""


def unusable_clients():
    memory = MemoryManager("hunter", stores=in_memory_stores())
    return {
        "memory_manager=": memory,
        "resource.meta.client": boto3.resource("dynamodb"),
        "resource.meta.client, or": boto3.resource("dynamodb").Table("table"),
        "botocore.client.S3": boto3.client("s3"),
        "Session": boto3.Session(),
        "builtins.str": "agent-memory",
        "Asynchronous": Asynchronous(),
    }


@pytest.mark.parametrize("kind", [DecisionLogger, lambda agent, client: MemoryManager(agent, None, client)])
def test_what_is_no_dynamodb_client(kind):
    for hint, client in unusable_clients().items():
        with pytest.raises(InvalidInput, match=f"dynamodb_client: .*{hint}"):
            kind("hunter", client)


def test_what_is_no_memory_manager():
    for unusable in (in_memory_stores(), MemoryManager("a", stores=in_memory_stores()).sync, "a", 0, {}):
        with pytest.raises(InvalidInput, match="memory_manager: expected a MemoryManager"):
            DecisionLogger("hunter", memory_manager=unusable)


def test_what_are_no_stores():
    for kind in (DecisionLogger, MemoryManager):
        with pytest.raises(InvalidInput, match="stores: expected a URL, or what connect"):
            kind("hunter", stores=MemoryManager("a", stores=in_memory_stores()))
