"""`DecisionLogger`: the decision log of an agent, directly on the stores."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.client.backends import DecisionBackend
from agent_memory.client.connect import Connection, HttpApi, connected, over_http
from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.core.checks import check_items
from agent_memory.core.clock import Clock
from agent_memory.core.errors import InvalidInput
from agent_memory.decisions.chains import ChainEntry
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision, DecisionDict, Outcome
from agent_memory.model.listings import Listing
from agent_memory.storage.clients import check_aws_client
from agent_memory.storage.factory import open_stores

if TYPE_CHECKING:
    from agent_memory.client.memory_manager import MemoryManager

_MAX_BATCH = 100
_SMALL_BYTES = 40_000
_EXPONENT = re.compile(rb"\de[+\d]")


class DirectDecisions:
    """`DecisionBackend` directly on the stores."""

    max_batch = _MAX_BATCH

    def __init__(self, log: DecisionLog, write_shards: int) -> None:
        self.log = log
        self.agent_id = log.agent_id
        self.write_shards = write_shards

    def close(self) -> None:
        """Does nothing: stores have no connections that must be closed."""

    def check_decision(self, decision: Decision, payload: bytes) -> None:
        """See `buffering.sinks.SizeLimits`."""
        if not _is_small(payload):
            self.log.check_decision_fits(decision)

    def check_outcome(self, outcome: Outcome, payload: bytes) -> None:
        """See `buffering.sinks.SizeLimits`."""
        if not _is_small(payload):
            self.log.check_outcome_fits(outcome)

    def log_decision(self, data: Mapping[str, Any]) -> str:
        """See `DecisionBackend`."""
        return str(self.log.log_one(data).decision_id)

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See `DecisionBackend`."""
        return [result.as_dict() for result in self.log.log(check_items("/decisions", inputs))]

    def log_outcome(self, data: Mapping[str, Any]) -> None:
        """See `DecisionBackend`."""
        self.log.record_outcome(data)

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See `DecisionBackend`."""
        return [result.as_dict("recorded") for result in self.log.record_outcomes(check_items("/outcomes", inputs))]

    def get_decision(self, decision_id: str) -> DecisionDict:
        """See `DecisionBackend`."""
        return self.log.get(decision_id).as_dict()

    def page_decisions(
        self, filters: DecisionFilter, *, limit: int, newest_first: bool, cursor: str | None
    ) -> dict[str, Any]:
        """See `DecisionBackend`."""
        return self.log.page(filters, limit=limit, newest_first=newest_first, cursor=cursor).as_dict()

    def get_decision_chain(self, decision_id: str, depth: int, *, limit: int) -> Listing[dict[str, Any]]:
        """See `DecisionBackend`."""
        return self.log.chain(decision_id, depth, limit=limit).map(ChainEntry.as_dict)

    def analyze_decision_patterns(self, filters: DecisionFilter, group_by: str, *, exact: bool) -> dict[str, Any]:
        """See `DecisionBackend`."""
        return self.log.statistics(filters, group_by, exact=exact)


def _is_small(payload: bytes) -> bool:
    """A quick check that a record is within every store's budget; if it returns False, the record may still be.

    A store may keep the path of each float without a fraction in addition, and bytes for each member of an object.
    """
    most_floats = _SMALL_BYTES // (2 * len(payload)) - 2 - payload.count(b".0")
    # An exponent has an `e`, as most texts have: exponents are only counted if there are too many of these.
    return payload.count(b"e") <= most_floats or len(_EXPONENT.findall(payload)) <= most_floats


class DecisionLogger(AsyncDecisions):
    """Logs the decisions of an agent with context, reasoning and outcomes.

    Pass `stores`: a URL, or what `connect` or `open_stores` returned; or a `memory_manager` to share its stores. With a
    `dynamodb_client` alone they are those of the environment's settings on AWS, see `storage.factory.open_stores`;
    without any of these, those that `connect()` opens. `write_shards` (1 to 32) is the number of table partitions that
    the agent's new decisions are distributed over.

    Raises:
        InvalidInput: an argument cannot be used, or nothing says where the stores are.
    """

    _decisions: DecisionBackend

    def __init__(
        self,
        agent_id: str,
        dynamodb_client: Any = None,
        memory_manager: "MemoryManager | None" = None,
        *,
        stores: Connection | str | None = None,
        clock: Clock | None = None,
        write_shards: int = 1,
    ) -> None:
        check_aws_client("dynamodb_client", dynamodb_client, "dynamodb", "put_item")
        if stores is None and memory_manager is not None:
            stores = _connection_of(memory_manager)
        if stores is None and dynamodb_client is not None:
            stores = open_stores(dynamodb_client=dynamodb_client)
        connection = connected(stores)
        if isinstance(connection, HttpApi):
            self._decisions = connection.backend(agent_id, write_shards=write_shards)
        else:
            log = DecisionLog(agent_id, connection, clock, write_shards=write_shards)
            self._decisions = DirectDecisions(log, write_shards)
        self._backend = self._decisions
        self.sync = SyncDecisionLogger(self._decisions)
        """The same log for code without asyncio."""

    @property
    def log(self) -> DecisionLog:
        """The underlying `DecisionLog`, whose methods block and return domain objects.

        Raises:
            InvalidInput: the stores are reached over the HTTP API.
        """
        if not isinstance(self._decisions, DirectDecisions):
            raise over_http("a DecisionLog")
        return self._decisions.log


class SyncDecisionLogger(SyncDecisions):
    """`DecisionLogger(…).sync`: the same methods without asyncio."""


def _connection_of(memory_manager: object) -> Connection:
    from agent_memory.client.memory_manager import MemoryManager  # noqa: PLC0415  its caller has loaded it

    if not isinstance(memory_manager, MemoryManager):
        raise InvalidInput("memory_manager", f"expected a MemoryManager, got {type(memory_manager).__qualname__}")
    return memory_manager.connection
