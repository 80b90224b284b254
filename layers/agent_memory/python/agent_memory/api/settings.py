"""The settings of a function, read once from its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent_memory.api import startup
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import MAX_SHARDS
from agent_memory.model.recall_weights import weights_from
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART, MAX_ROWS_PER_PART
from agent_memory.ports.stores import Stores
from agent_memory.storage.embedders import EMBEDDER_VARIABLE, NAMES, embedder_of
from agent_memory.storage.factory import open_stores
from agent_memory.storage.redis.address import url_from_environment


class BadEnvironment(Exception):
    """An environment variable is missing or invalid."""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """The settings that a deployment passes to a function."""

    table_prefix: str
    archive_bucket: str | None
    anchor_bucket: str | None
    redis_endpoint: str | None
    redis_tls: bool
    redis_url: str | None
    write_shards: int
    nightly_executions: str | None = None
    decisions_per_part: int = DEFAULT_ROWS_PER_PART
    embedder: str | None = None
    recall_weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "FunctionSettings":
        """Read and check the variables `AGENT_MEMORY_…`.

        Raises:
            BadEnvironment: names the variable and the expected value.
        """
        return cls(
            table_prefix=_required(environment, "AGENT_MEMORY_TABLE_PREFIX"),
            archive_bucket=environment.get("AGENT_MEMORY_ARCHIVE_BUCKET") or None,
            anchor_bucket=environment.get("AGENT_MEMORY_ANCHOR_BUCKET") or None,
            redis_endpoint=environment.get("AGENT_MEMORY_REDIS_ENDPOINT") or None,
            redis_tls=_boolean(environment, "AGENT_MEMORY_REDIS_TLS"),
            redis_url=_redis_url(environment),
            write_shards=_integer(environment, "AGENT_MEMORY_WRITE_SHARDS", default=1, maximum=MAX_SHARDS),
            decisions_per_part=_integer(
                environment, "AGENT_MEMORY_DECISIONS_PER_PART", default=DEFAULT_ROWS_PER_PART, maximum=MAX_ROWS_PER_PART
            ),
            nightly_executions=environment.get("AGENT_MEMORY_NIGHTLY_EXECUTIONS") or None,
            embedder=_embedder(environment),
            recall_weights=_recall_weights(environment),
        )

    def open_stores(self) -> Stores:
        """Open the stores, with which a function's start ends."""
        stores = open_stores(
            table_prefix=self.table_prefix,
            archive_bucket=self.archive_bucket,
            anchor_bucket=self.anchor_bucket,
            redis_endpoint=self.redis_url,
            decisions_per_part=self.decisions_per_part,
        )
        embedder = None if self.embedder is None else embedder_of(self.embedder)
        startup.end()
        return replace(stores, embedder=embedder, recall_weights=self.recall_weights)


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise BadEnvironment(f"{name} is not set; deploy the function with the stacks, or set it manually")
    return value


def _embedder(environment: Mapping[str, str]) -> str | None:
    name = environment.get(EMBEDDER_VARIABLE) or None
    if name not in (None, *NAMES):
        raise BadEnvironment(f"{EMBEDDER_VARIABLE} is {name!r}; write {' or '.join(NAMES)}, or leave it out")
    return name


def _recall_weights(environment: Mapping[str, str]) -> Mapping[str, float]:
    try:
        return weights_from(environment)
    except InvalidInput as error:
        raise BadEnvironment(str(error)) from error


def _boolean(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "false")
    if value not in ("true", "false"):
        raise BadEnvironment(f"{name} is {value!r}; write true or false")
    return value == "true"


def _integer(environment: Mapping[str, str], name: str, *, default: int, maximum: int) -> int:
    value = environment.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= maximum:
        raise BadEnvironment(f"{name} is {value!r}; write an integer from 1 to {maximum}")
    return int(value)


def _redis_url(environment: Mapping[str, str]) -> str | None:
    try:
        return url_from_environment(environment)
    except InvalidInput as error:
        raise BadEnvironment(str(error)) from error
