"""`python -m benchmarks.memories`: storing a memory, and a first recall, on DynamoDB: requests, units, CPU time."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent_memory import MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.core.stems import stemmer
from agent_memory.memory.text_words import stored_words
from agent_memory.model.memories import Memory
from agent_memory.model.recalled_parts import memory_texts
from agent_memory.storage.dynamodb.items import Item, decision_item, item_size, memory_item, outcome_attributes
from agent_memory.storage.dynamodb.memory_changes import change_attributes
from agent_memory.storage.factory import open_stores
from agent_memory.storage.provisioning import create_tables_if_not_exist
from agent_memory.storage.schema import DECISIONS, MEMORIES, Index
from benchmarks.capacity_meter import CapacityMeter, ConsumedCapacity
from benchmarks.pages import registration
from benchmarks.reads import AGENT_ID, NOW_MS, decisions
from benchmarks.replayed_dynamodb import ReplayedDynamoDB, batch_write
from benchmarks.tables import print_table

MEMORIES_RECALLED, DECISIONS_RECALLED = 2_000, 1_000
_PREFIX = "memories"
_DELAY_SECONDS = 0.05
_UNIT_BYTES = 1_024
_Items = dict[tuple[str, str], Item]
_WORDS = 5_000
_LETTERS = str.maketrans("0123456789", "bcdfghjklm")
_DATA = {"description": "momentum works in high volatility", "confidence": 0.7, "rule": {"volatility": "high"}}


@dataclass(frozen=True, slots=True)
class Stored:
    """Requests and write units of storing, changing or removing a memory."""

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
    """Store a memory that was not there; `is_new`: the caller says so."""
    return _stored(lambda memory: memory.store_ltm("PATTERN", "new", _DATA, expected_version=0 if is_new else None))


def change_one() -> Stored:
    """Change a memory, and its confidence."""
    return _stored(lambda memory: memory.store_ltm("PATTERN", "stored", _DATA | {"confidence": 0.8}))


def remove_one() -> Stored:
    """Remove a memory."""
    return _stored(lambda memory: memory.delete_ltm("PATTERN", "stored", reason="outdated"))


def store_again() -> Stored:
    """Store a memory that was removed."""
    return _stored(lambda memory: memory.store_ltm("PATTERN", "removed", _DATA))


def _stored(change: Callable[[Any], Any]) -> Stored:
    """What a change of a table costs that has a memory, and one that was removed.

    The emulator reports constants, and none for transactions: units are computed from what the change has left.
    """
    replayed = ReplayedDynamoDB()
    client = replayed.client()
    with replayed.recording():
        create_tables_if_not_exist(client, _PREFIX)
        memory = MemoryManager(AGENT_ID, stores=open_stores(table_prefix=_PREFIX, dynamodb_client=client)).sync
        for name in ("stored", "removed"):
            memory.store_ltm("PATTERN", name, _DATA)
        memory.delete_ltm("PATTERN", "removed", reason="outdated")
        before = _items(client)
        with CapacityMeter(client).measuring() as measured:
            change(memory)
        (operation,) = measured.write_units_of
        units = _write_units(before, _items(client), factor=2 if operation == "TransactWriteItems" else 1)
        return Stored(measured.requests, units)


def _write_units(before: _Items, after: _Items, *, factor: int) -> int:
    """The units of the writes between two contents of the table of memories.

    An item takes one for each started kilobyte of the larger of its two versions, twice in a transaction. An entry of
    an index takes one when it appears, one when it goes, and two when its key changes.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
    """
    units = 0
    for key in before.keys() | after.keys():
        old, new = before.get(key, {}), after.get(key, {})
        if old == new:
            continue
        units += factor * max(_started_kilobytes(old), _started_kilobytes(new))
        for index in MEMORIES.indexes:
            entries = [_entry(item, index) for item in (old, new)]
            units += sum(map(_started_kilobytes, entries)) if entries[0] != entries[1] else 0
    return units


def _entry(item: Item, index: Index) -> Item:
    """What an index has of an item: nothing if the item does not have its key."""
    names = {index.partition.name, index.sort.name}
    return {name: item[name] for name in ("pk", "sk", *sorted(names - {"pk"}))} if names <= item.keys() else {}


def _started_kilobytes(item: Item) -> int:
    return -(-item_size(item) // _UNIT_BYTES)


def _items(client: Any) -> _Items:
    pages = client.get_paginator("scan").paginate(TableName=f"{_PREFIX}-{MEMORIES.name}")
    return {(item["pk"]["S"], item["sk"]["S"]): item for page in pages for item in page["Items"]}


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
        batch_write(
            client, f"{_PREFIX}-{MEMORIES.name}", [memory_item(one) | change_attributes(one) for one in _memories()]
        )
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
    goals = "1 request, ≤ 3 units"
    measured = [
        ("store a memory", store_one(is_new=False), ""),
        ("  the same, expected_version=0", store_one(is_new=True), goals),
        ("change a memory and its confidence", change_one(), ""),
        ("remove a memory", remove_one(), ""),
        ("store a memory that was removed", store_again(), ""),
    ]
    rows = [(name, f"{one.requests} requests, {one.write_units} write units", goal) for name, one, goal in measured]
    found = recall_first()
    figures = f"{found.rounds} rounds, {found.requests} requests, {found.read_units:g} units, {found.cpu_ms:.0f} ms"
    name = f"first recall, {DECISIONS_RECALLED:,} decisions and {MEMORIES_RECALLED:,} memories"
    print_table("Memories on DynamoDB", [*rows, (name, figures, "≤ 2 rounds, ≤ 60 ms")])


if __name__ == "__main__":
    main()
