"""`python -m benchmarks.memories`: storing a memory, and a first recall, on DynamoDB: requests, units, CPU time."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent_memory import MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.core.stems import stemmer
from agent_memory.memory.text_words import stored_words
from agent_memory.model.memories import Memory
from agent_memory.model.recalled_parts import memory_texts
from agent_memory.storage.dynamodb.items import Item, decision_item, item_size, memory_item, outcome_attributes
from agent_memory.storage.factory import open_stores
from agent_memory.storage.provisioning import create_tables_if_not_exist
from agent_memory.storage.schema import BY_CONFIDENCE, DECISIONS, MEMORIES
from benchmarks.capacity_meter import CapacityMeter, ConsumedCapacity
from benchmarks.pages import registration
from benchmarks.reads import AGENT_ID, NOW_MS, decisions
from benchmarks.replayed_dynamodb import ReplayedDynamoDB, batch_write
from benchmarks.tables import print_table

MEMORIES_RECALLED, DECISIONS_RECALLED = 2_000, 1_000
_PREFIX = "memories"
_DELAY_SECONDS = 0.05
_UNIT_BYTES = 1_024
_WORDS = 5_000
_LETTERS = str.maketrans("0123456789", "bcdfghjklm")
_DATA = {"description": "momentum works in high volatility", "confidence": 0.7, "rule": {"volatility": "high"}}


@dataclass(frozen=True, slots=True)
class Stored:
    """Requests and write units of storing a memory that was not there."""

    requests: int
    write_units: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """A process's first recall: requests in a row, all of them, read units, and milliseconds of CPU time."""

    rounds: int
    requests: int
    read_units: float
    cpu_ms: float


def store_one(*, is_new: bool) -> Stored:
    """Store a memory; `is_new`: the caller says that there is none yet.

    The emulator reports no units of transactions: they are computed from the items that are there afterwards, each
    twice because of the transaction, and one of the index.
    """
    replayed = ReplayedDynamoDB()
    client = replayed.client()
    with replayed.recording():
        create_tables_if_not_exist(client, _PREFIX)
        memory = MemoryManager(AGENT_ID, stores=open_stores(table_prefix=_PREFIX, dynamodb_client=client)).sync
        memory.store_ltm("PATTERN", "another", _DATA)
        before = _items(client)
        with CapacityMeter(client).measuring() as measured:
            memory.store_ltm("PATTERN", "one", _DATA, expected_version=0 if is_new else None)
        requests = measured.requests
        new = [item for item in _items(client) if item not in before]
    indexed = sum(BY_CONFIDENCE.sort.name in item for item in new)
    return Stored(requests, sum(2 * -(-item_size(item) // _UNIT_BYTES) for item in new) + indexed)


def _items(client: Any) -> list[Item]:
    found: list[Item] = client.scan(TableName=f"{_PREFIX}-{MEMORIES.name}")["Items"]
    return found


def recall_first() -> Recalled:
    """A recall of five by three words over memories and decisions, by a process that has recalled nothing yet."""
    replayed = ReplayedDynamoDB()
    query = _text(random.Random(1), 3)  # noqa: S311  synthetic words
    with replayed.recording():
        client = replayed.client()
        create_tables_if_not_exist(client, _PREFIX)
        client.put_item(TableName=f"{_PREFIX}-agent_state", Item=registration())
        items = [decision_item(one) | outcome_attributes(one) for one in decisions(DECISIONS_RECALLED)]
        batch_write(client, f"{_PREFIX}-{DECISIONS.name}", items)
        batch_write(client, f"{_PREFIX}-{MEMORIES.name}", [memory_item(one) for one in _memories()])
        _recall(replayed.client(), query)
        metered = _metered(replayed.client(), query)
    seconds = min(_cpu_seconds(replayed, query) for _ in range(5))
    return Recalled(metered.rounds, metered.requests, metered.read_units, seconds * 1_000)


def _metered(client: Any, query: str) -> ConsumedCapacity:
    with CapacityMeter(client, _DELAY_SECONDS).measuring() as measured:
        _recall(client, query)
    return measured


def _cpu_seconds(replayed: ReplayedDynamoDB, query: str) -> float:
    client = replayed.client()
    stemmer.cache_clear()  # a process that has recalled nothing yet knows no stems
    started = time.process_time()
    _recall(client, query)
    return time.process_time() - started


def _recall(client: Any, query: str) -> None:
    clock = FixedClock(NOW_MS)
    stores = replace(open_stores(table_prefix=_PREFIX, dynamodb_client=client, clock=clock), archive=None)
    found = MemoryManager(AGENT_ID, stores=stores, clock=clock).sync.recall(query, top_k=5)
    if not found:
        raise RuntimeError("nothing was recalled")


def _memories() -> Sequence[Memory]:
    chance = random.Random(7)  # noqa: S311  synthetic words
    return [_memory(f"p{number}", _text(chance, 12), NOW_MS - number) for number in range(MEMORIES_RECALLED)]


def _memory(pattern_id: str, description: str, at_ms: int) -> Memory:
    """A memory as it is stored, with its words."""
    data = {"description": description, "confidence": 0.5}
    words = stored_words(*memory_texts(pattern_id, data))
    return Memory(AGENT_ID, "PATTERN", pattern_id, 0.5, data, at_ms, at_ms, 1, words=words)


def _text(chance: random.Random, words: int) -> str:
    """Words with the frequencies of natural text: the n-th most common 1/n as frequent as the first (Zipf)."""
    return " ".join(f"w{int(_WORDS ** chance.random())}".translate(_LETTERS) for _ in range(words))


def main() -> None:
    """Print the figures."""
    rows = []
    for name, is_new in (("store a memory", False), ("  the same, expected_version=0", True)):
        stored = store_one(is_new=is_new)
        rows.append((name, f"{stored.requests} requests, {stored.write_units} write units", "1 request, ≤ 3 units"))
    found = recall_first()
    figures = f"{found.rounds} rounds, {found.requests} requests, {found.read_units:g} units, {found.cpu_ms:.0f} ms"
    name = f"first recall, {DECISIONS_RECALLED:,} decisions and {MEMORIES_RECALLED:,} memories"
    print_table("Memories on DynamoDB", [*rows, (name, figures, "≤ 2 rounds, ≤ 60 ms")])


if __name__ == "__main__":
    main()
