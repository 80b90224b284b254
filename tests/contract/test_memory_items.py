"""The items of memories in DynamoDB: one put of a new one, the rest in the history, and a log that is an index."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from agent_memory import Conflict, InvalidInput, MemoryManager, Unavailable
from agent_memory.core.clock import SystemClock
from agent_memory.storage.dynamodb.items import item_size
from agent_memory.storage.dynamodb.memories import DynamoDBMemories
from agent_memory.storage.schema import BY_CHANGE
from benchmarks.capacity_meter import CapacityMeter
from benchmarks.memories import Stored, change_one, remove_one, store_again, store_one
from tests.contract.samples import NOW
from tests.contract.test_memories_and_states import memory, put
from tests.contract.test_recall import names

pytestmark = pytest.mark.slow


class Watched:
    """A client that calls `after` once when a method has been answered, or `instead` of sending it."""

    def __init__(self, client, method, *, after=None, instead=None):
        self._client, self._method, self._after, self._instead = client, method, after, instead

    def __getattr__(self, name):
        call = getattr(self._client, name)
        return call if name != self._method else lambda **request: self._watched(call, request)

    def _watched(self, call, request):
        if self._instead is not None:
            return self._instead(call, request)
        response, after, self._after = call(**request), self._after, None
        if after is not None:
            after()
        return response


def watched(stores, method, **reactions):
    """The store of memories on a client that is watched."""
    store = stores.memories
    prefix = store._table.removesuffix("-agent_memory_ltm")
    return DynamoDBMemories(Watched(store._client, method, **reactions), prefix)


def manager(stores, memories, clock):
    return MemoryManager("hunter", stores=replace(stores, memories=memories), clock=clock).sync


def lagging(call, request):
    """An index that has nothing yet."""
    response = call(**request)
    return {**response, "Items": []} if request.get("IndexName") == BY_CHANGE.name else response


def sent_twice(call, request):
    """A request whose first answer is lost, so that the client sends it again."""
    call(**request)
    return call(**request)


def items(stores):
    store = stores.memories
    found = store._client.scan(TableName=store._table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def test_what_writes_cost():
    assert store_one(is_new=True) == Stored(requests=1, write_units=3)
    assert store_one(is_new=False) == Stored(requests=3, write_units=3)
    assert change_one() == Stored(requests=2, write_units=8)
    assert remove_one() == Stored(requests=2, write_units=9)
    assert store_again() == Stored(requests=3, write_units=4)


def test_a_version_is_in_the_history_once_it_is_replaced_or_removed(moto_stores):
    store = moto_stores.memories
    put(moto_stores, memory())
    assert set(items(moto_stores)) == {("hunter#PATTERN", "whale_pump")}
    put(moto_stores, memory(version=2, n=2))
    history = {("hunter#PATTERN#history", f"whale_pump#{n:010d}") for n in (1, 2, 3)}
    assert set(items(moto_stores)) == {("hunter#PATTERN", "whale_pump"), min(history)}
    store.remove(replace(memory(version=3), is_removed=True), after=memory(version=2, n=2))
    found = items(moto_stores)
    assert set(found) == {("hunter#PATTERN", "whale_pump"), *history}
    in_place = found["hunter#PATTERN", "whale_pump"]
    assert set(in_place) == {"pk", "sk", "version", "updated_at", "is_removed", "change", "change_log"}
    assert all("change" not in found[key] and "confidence" not in found[key] for key in history)


def test_own_writes_are_recalled_before_the_index_has_them(moto_stores, clock):
    own = manager(moto_stores, watched(moto_stores, "query", instead=lagging), clock)
    own.store_ltm("PATTERN", "first", {"text": "whales lead"})
    assert names(own.recall("whales")) == ["first"]
    own.store_ltm("PATTERN", "second", {"text": "whales whales whales", "confidence": 0.9}, expected_version=0)
    assert names(own.recall("whales")) == ["second", "first"]
    own.store_ltm("PATTERN", "first", {"text": "minnows follow"})
    assert names(own.recall("minnow", top_k=1)) == ["first"]
    own.delete_ltm("PATTERN", "second", reason="wrong")
    assert names(own.recall("whales")) == ["first"]


def test_another_writer_is_recalled_once_the_index_has_its_change(moto_stores, clock):
    lags = [True]

    def index(call, request):
        return lagging(call, request) if lags else call(**request)

    own = manager(moto_stores, watched(moto_stores, "query", instead=index), clock)
    own.store_ltm("PATTERN", "first", {"text": "whales lead"})
    assert names(own.recall("whales")) == ["first"]
    other = manager(moto_stores, moto_stores.memories, clock)
    other.store_ltm("PATTERN", "second", {"text": "whales whales whales", "confidence": 0.9})
    assert names(own.recall("whales")) == ["first"]
    lags.clear()
    assert names(own.recall("whales")) == ["second", "first"]
    other.store_ltm("PATTERN", "first", {"text": "minnows"})
    assert names(own.recall("minnow", top_k=1)) == ["first"]
    other.delete_ltm("PATTERN", "second", reason="wrong")
    assert names(own.recall("whales")) == ["first"]


def test_of_an_own_change_and_a_later_one_of_another_writer_the_later_is_logged(moto_stores):
    store, other = moto_stores.memories, watched(moto_stores, "query", after=None)
    cursor = store.changes("hunter", None).cursor
    store.put(memory(), after=None)
    other.put(memory(version=2), after=memory())
    assert [one.version for one in store.changes("hunter", cursor).versions] == [2]
    other.erase("hunter", dry_run=False)
    assert other.changes("hunter", cursor).versions == []
    store.erase("hunter", dry_run=False)
    assert store.changes("hunter", cursor).versions == []


def test_a_position_is_refused_that_is_too_old_or_of_a_time_to_come(moto_stores):
    now_ms = SystemClock().now_ms()
    assert moto_stores.memories.changes("hunter", str(now_ms - 13 * 3_600_000)) is None
    assert moto_stores.memories.changes("hunter", str(now_ms + 3_600_000)) is None


def test_a_put_whose_answer_was_lost_is_no_conflict(moto_stores, clock):
    again = watched(moto_stores, "put_item", instead=sent_twice)
    own = manager(moto_stores, again, clock)
    assert own.store_ltm("PATTERN", "p", {"text": "whales"}, expected_version=0)["version"] == 1
    own.delete_ltm("PATTERN", "p", reason="wrong")
    assert own.store_ltm("PATTERN", "p", {"text": "whales"})["version"] == 3
    assert [one["version"] for one in own.get_ltm_history("PATTERN", "p")] == [1, 2, 3]


def test_two_writers_of_the_same_memory_are_not_taken_for_one(moto_stores, clock, monkeypatch):
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: NOW)
    moto_stores.memories.put(memory(), after=None)
    with pytest.raises(Conflict):
        moto_stores.memories.put(memory(), after=None)


def test_a_removed_memory_is_not_new(moto_stores, clock):
    own = manager(moto_stores, moto_stores.memories, clock)
    own.store_ltm("PATTERN", "removed", {"text": "whales"})
    own.store_ltm("PATTERN", "wrong", {"text": "whales"})
    own.delete_ltm("PATTERN", "removed", reason="outdated")
    own.quarantine("wrong", "wrong")
    assert own.store_ltm("PATTERN", "removed", {"text": "whales"}, expected_version=0)["version"] == 3
    for expected in (0, None):
        with pytest.raises(InvalidInput, match="quarantined"):
            own.store_ltm("PATTERN", "wrong", {"text": "whales"}, expected_version=expected)
    own.release("wrong", "right after all")
    assert own.get_ltm("PATTERN", "wrong")["version"] == 3


@pytest.mark.parametrize("method", ["put_item", "transact_write_items"])
def test_a_write_that_fails_leaves_nothing(moto_stores, method):
    put(moto_stores, memory(), memory("changed"), memory("gone"))
    before = items(moto_stores)

    def fails(_call, _request):
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "Write")

    broken = watched(moto_stores, method, instead=fails)
    writes = {
        "put_item": [lambda: broken.put(memory("new"), after=None)],
        "transact_write_items": [
            lambda: broken.put(memory("changed", version=2), after=memory("changed")),
            lambda: broken.remove(replace(memory("gone", version=2), is_removed=True), after=memory("gone")),
        ],
    }
    for write in writes[method]:
        with pytest.raises(Unavailable):
            write()
    assert items(moto_stores) == before
    assert (
        broken.changes("hunter", str(SystemClock().now_ms())).versions
        == moto_stores.memories.changes("hunter", str(SystemClock().now_ms())).versions
    )


def test_a_transaction_with_one_part_refused_leaves_nothing(moto_stores):
    """The history has a version already that is only now replaced, as after an erasure that was interrupted."""
    put(moto_stores, memory())
    store = moto_stores.memories
    key = {"pk": {"S": "hunter#PATTERN#history"}, "sk": {"S": "whale_pump#0000000001"}}
    store._client.put_item(TableName=store._table, Item=key)
    before = items(moto_stores)
    with pytest.raises(Conflict):
        store.put(memory(version=2, n=2), after=memory())
    with pytest.raises(Conflict):
        store.remove(replace(memory(version=2), is_removed=True), after=memory())
    assert items(moto_stores) == before


@pytest.mark.parametrize(
    ("first_request", "read"),
    [
        ("get_item", lambda s: s.history("hunter", "PATTERN", "whale_pump")),
        ("query", lambda s: list(s.all_versions("hunter", "PATTERN"))),
        ("query", lambda s: s.versions_at("hunter", "PATTERN", NOW + 1)),
        ("get_item", lambda s: s.versions_at("hunter", "PATTERN", NOW + 1, pattern_id="whale_pump")),
    ],
)
def test_a_version_that_is_replaced_while_the_history_is_read_is_found_once(moto_stores, first_request, read):
    put(moto_stores, memory())
    reader = watched(moto_stores, first_request, after=lambda: put(moto_stores, memory(version=2, n=2)))
    assert read(reader) == [memory()]


def test_a_version_is_not_replaced_by_who_read_the_one_of_an_erased_agent(moto_stores):
    put(moto_stores, memory())
    moto_stores.memories.erase("hunter", dry_run=False)
    again = replace(memory(n=3), updated_ms=NOW + 5)
    put(moto_stores, again)
    with pytest.raises(Conflict):
        moto_stores.memories.put(memory(version=2), after=memory())
    assert moto_stores.memories.history("hunter", "PATTERN", "whale_pump") == [again]


def test_a_damaged_current_version_is_named_and_the_others_are_read(moto_stores):
    put(moto_stores, memory(), memory(version=2, n=2), memory("other"))
    store, found = moto_stores.memories, []
    key = {"pk": {"S": "hunter#PATTERN"}, "sk": {"S": "whale_pump"}}
    store._client.put_item(TableName=store._table, Item={**key, "data": {"S": "text"}})
    for read in (
        lambda: store.history("hunter", "PATTERN", "whale_pump", on_unreadable=found.append),
        lambda: store.all_versions("hunter", "PATTERN", on_unreadable=found.append),
        lambda: store.versions_at("hunter", "PATTERN", NOW + 9, on_unreadable=found.append),
    ):
        assert list(read())[-1] == memory()
        assert [one.id for one in found] == ["whale_pump"]
        found.clear()


def test_removed_memories_cost_little_to_skip(moto_stores):
    text = "whales " * 100
    for n in range(30):
        put(moto_stores, memory(f"p{n}", text=text))
        removal = replace(memory(f"p{n}", version=2, text=text), is_removed=True)
        moto_stores.memories.remove(removal, after=memory(f"p{n}", text=text))
    put(moto_stores, memory("left"))
    with CapacityMeter(moto_stores.memories._client).measuring() as measured:
        assert list(moto_stores.memories.by_confidence("hunter", "PATTERN")) == [memory("left")]
    assert measured.requests == 1
    in_place = [one for (pk, _), one in items(moto_stores).items() if pk == "hunter#PATTERN"]
    assert max(item_size(one) for one in in_place if "is_removed" in one) < 180
