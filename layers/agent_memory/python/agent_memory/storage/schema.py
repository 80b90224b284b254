"""The definition of the three tables and the cache, used by the CDK stacks and by `AWSMemoryClients`."""

from dataclasses import dataclass
from typing import Literal

AttributeType = Literal["S", "N"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key attribute and its DynamoDB type."""

    name: str
    type: AttributeType = "S"


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index that projects keys only; the items are read by key."""

    name: str
    partition: Key
    sort: Key


@dataclass(frozen=True, slots=True)
class Table:
    """A table with on-demand capacity and time to live on `ttl_attribute`."""

    name: str
    partition: Key
    sort: Key
    indexes: tuple[Index, ...] = ()
    ttl_attribute: str = "ttl"

    def full_name(self, prefix: str) -> str:
        """Name of the deployed table, with the deployment's prefix."""
        return f"{prefix}-{self.name}"


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache of short-term memory: an ElastiCache replication group, encrypted at rest and in transit."""

    engine: str = "valkey"
    engine_version: str = "8.0"
    port: int = 6380  # customary for Redis over TLS
    node_type: str = "cache.t4g.micro"
    description: str = "Short-term memory of Agent Memory"


CACHE = Cache()

PK = Key("pk")
SK = Key("sk")
TIMESTAMP = Key("timestamp", "N")

BY_OUTCOME = Index("by_outcome", Key("agent_success"), TIMESTAMP)
BY_CONTEXT = Index("by_context", Key("agent_context"), TIMESTAMP)
BY_CONFIDENCE = Index("by_confidence", PK, Key("confidence", "N"))

DECISIONS = Table("agent_decisions", PK, SK, (BY_OUTCOME, BY_CONTEXT))
MEMORIES = Table("agent_memory_ltm", PK, SK, (BY_CONFIDENCE,))
STATES = Table("agent_state", PK, SK)

TABLES = (DECISIONS, MEMORIES, STATES)
