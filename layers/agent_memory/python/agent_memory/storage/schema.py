"""The definition of the three tables and the cache, used by the CDK stacks and by `AWSMemoryClients`."""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from agent_memory.core.keys import accesses_prefix, stm_key

AttributeType = Literal["S", "N"]

_MAX_CACHE_USER, _DIGEST = 40, 12


@dataclass(frozen=True, slots=True)
class Key:
    """One key attribute and its DynamoDB type."""

    name: str
    type: AttributeType = "S"


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index, which projects all attributes, or keys only: then the items are read by key."""

    name: str
    partition: Key
    sort: Key
    projects_all: bool = False

    @property
    def projection(self) -> Literal["ALL", "KEYS_ONLY"]:
        """What an entry has, as `CreateTable` names it."""
        return "ALL" if self.projects_all else "KEYS_ONLY"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with on-demand capacity, time to live on `ttl_attribute`, and a stream of its writes if it has one."""

    name: str
    partition: Key
    sort: Key
    indexes: tuple[Index, ...] = ()
    ttl_attribute: str = "ttl"
    stream: Literal["NEW_IMAGE"] | None = None

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


def cache_access(*agent_ids: str) -> str:
    """The access string of a user of the cache: no command that reads or deletes the entire cache.

    Args:
        agent_ids: the agents whose keys the user may use; without any, all keys of short-term memory.
    """
    patterns = [pattern for one in agent_ids for pattern in (f"~{stm_key(one, '*')}", f"~{accesses_prefix(one)}*")]
    allowed = " ".join(patterns or ["~stm:*"])
    return f"on {allowed} resetchannels -@all +@read +@write +@connection +@transaction +@scripting -@dangerous"


def cache_user(prefix: str, agent_id: str) -> str:
    """The name and id of an agent's own user of a deployment's cache.

    ElastiCache accepts 40 letters, digits and single hyphens; other ids are distinguished by a digest.
    """
    name = f"{prefix}-agent-{agent_id}"
    if len(name) <= _MAX_CACHE_USER and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        return name
    readable = re.sub(r"[^a-z0-9]+", "-", name)[: _MAX_CACHE_USER - _DIGEST - 1].rstrip("-")
    return f"{readable}-{hashlib.sha256(agent_id.encode()).hexdigest()[:_DIGEST]}"


PK = Key("pk")
SK = Key("sk")
TIMESTAMP = Key("timestamp", "N")

# A decision is in one of the two: a small one costs a unit in both, and need not be read again (0099).
BY_CONTEXT = Index("by_context", Key("agent_context"), TIMESTAMP, projects_all=True)
BY_CONTEXT_KEYS = Index("by_context_keys", Key("agent_context_keys"), TIMESTAMP)
BY_CONFIDENCE = Index("by_confidence", PK, Key("confidence", "N"))
BY_CHANGE = Index("by_change", Key("change_log"), Key("change"))

DECISIONS = Table("agent_decisions", PK, SK, (BY_CONTEXT, BY_CONTEXT_KEYS), stream="NEW_IMAGE")
MEMORIES = Table("agent_memory_ltm", PK, SK, (BY_CONFIDENCE, BY_CHANGE))
STATES = Table("agent_state", PK, SK)

TABLES = (DECISIONS, MEMORIES, STATES)
