"""`python -m benchmarks.pages`: a page of 100 decisions by context or outcome: read units, and CPU time beside boto3.

Plain boto3 is a program on the seed's schema: one query of an index that has all attributes, whose items boto3's
`Table` turns into Python values. Both get the recorded answers of an emulator at once.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from boto3.dynamodb.conditions import Key

from agent_memory.core.clock import FixedClock
from agent_memory.core.keys import REGISTRATION
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.items import Item, decision_item, item_size, outcome_attributes
from agent_memory.storage.factory import in_memory_stores, open_stores
from agent_memory.storage.provisioning import create_tables_if_not_exist
from agent_memory.storage.schema import BY_CONTEXT, DECISIONS, TIMESTAMP, Index
from agent_memory.storage.schema import Key as KeyAttribute
from benchmarks.capacity_meter import CapacityMeter
from benchmarks.reads import AGENT_ID, NOW_MS, decisions
from benchmarks.replayed_dynamodb import ReplayedDynamoDB, batch_write
from benchmarks.tables import print_table

_PAGE = 100
_DECISIONS = 720  # a hundred of each of the six market contexts, and more
_PREFIX, _PEER_TABLE = "pages", "seed-decisions"
_MARKET = {"trend": "bullish", "volatility": "high"}
CONTEXT_TYPE = "trend=bullish|volatility=high"
_BY_OUTCOME = Index("by_outcome", KeyAttribute("agent_success"), TIMESTAMP)
_PEER_INDEXES = {"context": BY_CONTEXT, "outcome": _BY_OUTCOME}
_ROUNDS, _REPEATS = 7, 10
_UNIT_BYTES = 4_096

CRITERIA = {"context": DecisionFilter(context_type=CONTEXT_TYPE), "outcome": DecisionFilter(success=False)}


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its requests and read units, those of the peer, and milliseconds of CPU time of both."""

    requests: int
    read_units: float
    peer_read_units: float
    cpu_ms: float
    peer_cpu_ms: float


def far_apart() -> list[Decision]:
    """Decisions of which those with one market context are every sixth, and the failures every second or third."""
    return list(decisions(_DECISIONS))


def close_together() -> list[Decision]:
    """The same in regimes: a market context, and success, last for 120 decisions."""
    found = far_apart()
    markets = [one.context["market"] for one in found[: _DECISIONS // 120]]
    return [_in_regime(one, n, markets) for n, one in enumerate(found)]


def _in_regime(one: Decision, number: int, markets: Sequence[Any]) -> Decision:
    regime = number // 120
    market = _MARKET if regime % 2 else markets[regime % len(markets)]
    outcome = replace(one.outcome, success=regime % 2 == 0) if one.outcome else None
    return replace(one, context={**one.context, "market": market}, outcome=outcome)


def measure(history: Sequence[Decision], by: str, *, rounds: int = _ROUNDS) -> Page:
    """One page of a history by `context` or `outcome`; without rounds, no time is measured."""
    replayed = ReplayedDynamoDB()
    client, metered, table = replayed.client(), replayed.client(), replayed.table(_PEER_TABLE)
    log = _log_over(client)
    meter = CapacityMeter(metered)
    metered_log = _log_over(metered)

    def ours() -> int:
        return len(log.page(CRITERIA[by], limit=_PAGE).decisions)

    def peers() -> Any:
        index = _PEER_INDEXES[by]
        value = f"{AGENT_ID}#{CONTEXT_TYPE}" if by == "context" else f"{AGENT_ID}#false"
        condition = Key(index.partition.name).eq(value)
        return table.query(IndexName=index.name, KeyConditionExpression=condition, ScanIndexForward=False, Limit=_PAGE)

    with replayed.recording():
        create_tables_if_not_exist(client, _PREFIX)
        _create_peers_table(client)
        items = [decision_item(one) | outcome_attributes(one) for one in history]
        batch_write(client, f"{_PREFIX}-{DECISIONS.name}", items)
        batch_write(client, _PEER_TABLE, [_peers_item(item) for item in items])
        client.put_item(TableName=f"{_PREFIX}-agent_state", Item=registration())
        _check(ours())
        _check(len(peers()["Items"]))
        metered_log.page(CRITERIA[by], limit=1)  # reads the registration, for a minute
        with meter.measuring() as measured:
            metered_log.page(CRITERIA[by], limit=_PAGE)
    cpu, peer_cpu = _times(ours, rounds), _times(peers, rounds)
    peer_units = -(-_PAGE * sum(map(item_size, items)) / len(items) // _UNIT_BYTES) / 2
    return Page(measured.requests, measured.read_units, peer_units, cpu, peer_cpu)


def _log_over(client: Any) -> DecisionLog:
    clock = FixedClock(NOW_MS)
    opened = open_stores(table_prefix=_PREFIX, dynamodb_client=client, clock=clock)
    stores = replace(in_memory_stores(clock), decisions=opened.decisions, states=opened.states, archive=None)
    return DecisionLog(AGENT_ID, stores, clock)


def _check(found: int) -> None:
    if found != _PAGE:
        raise RuntimeError(f"{found} decisions, not {_PAGE}")


def registration() -> Item:
    """The item that names the types of the agent."""
    return {"pk": {"S": AGENT_ID}, "sk": {"S": REGISTRATION}, "decision_types": {"SS": ["SOURCE_SELECTION"]}}


def _peers_item(item: Item) -> Item:
    """An item with the seed's key by outcome."""
    if "success" not in item:
        return item
    return {**item, _BY_OUTCOME.partition.name: {"S": f"{AGENT_ID}#{str(item['success']['BOOL']).lower()}"}}


def _create_peers_table(client: Any) -> None:
    """The table of decisions as the seed has it, with indexes of all attributes."""
    names = {"pk": "S", "sk": "S", "timestamp": "N"} | {one.partition.name: "S" for one in _PEER_INDEXES.values()}
    client.create_table(
        TableName=_PEER_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in names.items()],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index.name,
                "KeySchema": _keys(index.partition.name, index.sort.name),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in _PEER_INDEXES.values()
        ],
    )


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _times(call: Callable[[], Any], rounds: int) -> float:
    """The median of the rounds, in milliseconds of CPU time per call."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(_REPEATS):
            call()
        times.append((time.process_time() - started) * 1_000 / _REPEATS)
    return statistics.median(times) if times else 0.0


def main() -> None:
    """Print the pages."""
    rows = []
    for where, history in (("far apart", far_apart()), ("close together", close_together())):
        for by in CRITERIA:
            page = measure(history, by)
            units = (
                f"{page.requests} requests, {page.read_units:g} read units (all attributes: {page.peer_read_units:g})"
            )
            ratio = f"{page.cpu_ms:.1f} ms CPU, boto3 {page.peer_cpu_ms:.1f}: {page.cpu_ms / page.peer_cpu_ms:.2f}"
            rows.append((f"100 by {by}, {where}", f"{units}; {ratio}", "≤ 25 units, ≤ 0.8"))
    print_table("Pages by an index", rows, width=170)


if __name__ == "__main__":
    main()
