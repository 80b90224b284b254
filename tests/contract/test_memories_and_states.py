"""The contract of the stores of memories, states, objects and short-term values."""

import random
from dataclasses import replace
from itertools import accumulate

import pytest

from agent_memory.core.errors import Conflict
from agent_memory.model.memories import Memory
from agent_memory.ports.short_term import GetValue, SetValue
from agent_memory.ports.states import Registration
from agent_memory.storage.dynamodb.memories import DynamoDBMemories

NOW = 1_795_176_000_000


def memory(pattern_id="whale_pump", confidence=0.7, version=1, **data):
    change = {"changed_by": "hunter", "reason": "seen again"}
    return Memory(
        "hunter", "PATTERN", pattern_id, confidence, data or {"rate": 1.0}, NOW, NOW + version, version, **change
    )


def put(stores, *versions):
    for one in versions:
        stores.memories.put(one, after=stores.memories.get(one.agent_id, one.memory_type, one.pattern_id))


def test_a_memory_is_read_back(stores):
    put(stores, memory())
    assert stores.memories.get("hunter", "PATTERN", "whale_pump") == memory()
    assert stores.memories.get("hunter", "PATTERN", "other") is None


def test_every_version_is_kept(stores):
    versions = [memory(confidence=0.1 * n, version=n) for n in range(1, 13)]
    put(stores, *versions, memory("whale_pump_2"))
    assert stores.memories.get("hunter", "PATTERN", "whale_pump") == versions[-1]
    assert stores.memories.history("hunter", "PATTERN", "whale_pump") == versions
    assert list(stores.memories.all_versions("hunter", "PATTERN")) == [*versions, memory("whale_pump_2")]


@pytest.mark.parametrize("seed", range(3))
def test_memories_are_read_as_they_were_at_a_time(stores, seed):
    """Versions that are dated before the ones that they replaced, as of a nightly job, removals and new beginnings."""
    generator = random.Random(seed)
    histories: dict[str, list[Memory]] = {}
    for name in ("a", "a-b", "b", "whale_pump"):
        current = None
        for version in range(1, 8):
            one = replace(memory(name, version=version, n=version), updated_ms=NOW + generator.randrange(20))
            if current is not None and generator.random() < 0.3:
                one = replace(one, is_removed=True)
                stores.memories.remove(one, after=current)
            else:
                stores.memories.put(one, after=current)
            current = None if one.is_removed else one
            histories.setdefault(name, []).append(one)

    def as_of(name, at_ms):
        since = list(accumulate((one.updated_ms for one in histories[name]), max))
        known = [one for one, since_ms in zip(histories[name], since, strict=True) if since_ms <= at_ms]
        return [one for one in known[-1:] if not one.is_removed]

    for at_ms in range(NOW - 1, NOW + 21):
        found = stores.memories.versions_at("hunter", "PATTERN", at_ms)
        assert found == [one for name in histories for one in as_of(name, at_ms)]
        for name in histories:
            assert stores.memories.versions_at("hunter", "PATTERN", at_ms, pattern_id=name) == as_of(name, at_ms)
    assert stores.memories.versions_at("hunter", "PATTERN", NOW + 21, pattern_id="never") == []


@pytest.mark.parametrize(("version", "after"), [(1, None), (2, None), (3, 2), (1, 1), (2, 7)])
def test_a_version_that_does_not_follow_is_refused(stores, version, after):
    put(stores, memory())
    with pytest.raises(Conflict):
        stores.memories.put(memory(confidence=0.9, version=version), after=after and memory(version=after))
    assert stores.memories.history("hunter", "PATTERN", "whale_pump") == [memory()]


def test_memories_are_ordered_by_confidence(stores):
    for n in (3, 1, 0, 2):
        put(stores, memory(f"p{n}", confidence=n / 4))
    actual = stores.memories.by_confidence("hunter", "PATTERN", 0.25)
    assert [one.pattern_id for one in actual] == ["p3", "p2", "p1"]


def test_a_memory_is_removed_once_and_its_history_records_it(stores):
    put(stores, memory())
    removal = replace(memory(version=2), is_removed=True)
    with pytest.raises(Conflict):
        stores.memories.remove(removal, after=memory(version=7))
    assert stores.memories.last_removal("hunter", "PATTERN", "other") is None
    stores.memories.remove(removal, after=memory())
    assert stores.memories.last_removal("hunter", "PATTERN", "whale_pump") == removal
    with pytest.raises(Conflict):
        stores.memories.remove(replace(removal, version=3), after=removal)
    for version in (1, 2):  # as a writer that does not know of the removal would
        with pytest.raises(Conflict):
            stores.memories.put(memory(version=version), after=None)
    assert stores.memories.get("hunter", "PATTERN", "whale_pump") is None
    assert list(stores.memories.by_confidence("hunter", "PATTERN")) == []
    assert stores.memories.history("hunter", "PATTERN", "whale_pump") == [memory(), removal]
    again = memory(version=3)
    stores.memories.put(again, after=None)
    assert stores.memories.history("hunter", "PATTERN", "whale_pump") == [memory(), removal, again]


def test_states_that_are_created_together_are_one_transaction(stores):
    def write(expected, others):
        return stores.states.put("hunter", "CURRENT", {"n": 1.0}, expected_version=expected, now_ms=NOW, others=others)

    write(0, {"CONFIGURATION#1": {"a": 1}})
    with pytest.raises(Conflict):
        write(0, {"CONFIGURATION#2": {"a": 2}})
    with pytest.raises(Conflict):
        write(1, {"CONFIGURATION#1": {"a": 3}})
    write(1, {"CONFIGURATION#3": {"a": 4}})
    actual = stores.states.list_by_prefix("hunter", "CONFIGURATION#")
    assert [(name, state.data, state.version) for name, state in actual] == [("1", {"a": 1}, 1), ("3", {"a": 4}, 1)]
    assert stores.states.get("hunter", "CURRENT").version == 2


def test_a_state_is_written_only_with_its_current_version(stores):
    first = stores.states.put("hunter", "CURRENT", {"cycle": 1.0}, expected_version=0, now_ms=NOW)
    for stale in (0, 2):
        with pytest.raises(Conflict):
            stores.states.put("hunter", "CURRENT", {"cycle": 9}, expected_version=stale, now_ms=NOW)
    assert stores.states.get("hunter", "CURRENT") == first
    second = stores.states.put("hunter", "CURRENT", {"cycle": 2}, expected_version=1, now_ms=NOW + 1)
    assert (second.version, stores.states.get("hunter", "CURRENT")) == (2, second)
    assert stores.states.get("hunter", "CHECKPOINT") is None


def test_agents_are_registered_with_their_types(stores):
    stores.states.register("hunter", {"QUERY"}, 1, NOW)
    stores.states.register("hunter", {"LEARNING", "QUERY"}, 8, NOW)
    stores.states.register("hunter", {"QUERY"}, 4, NOW)
    stores.states.register("another", {"QUERY"}, 1, NOW)
    stores.states.put("hunter", "CURRENT", {}, expected_version=0, now_ms=NOW)
    assert stores.states.agents() == ["another", "hunter"]
    assert stores.states.registration("hunter") == Registration(("LEARNING", "QUERY"), write_shards=8)
    assert stores.states.registration("another") == Registration(("QUERY",))
    assert stores.states.registration("unknown") == Registration()


def test_objects_are_written_read_and_listed(stores):
    for key in ("a/x=1/one", "a/x=1/two", "a/x=2/one", "b/x=3/one"):
        stores.blobs.write(key, key.encode())
    stores.blobs.write("a/x=1/one", b"again")
    assert stores.blobs.read("a/x=1/one") == b"again"
    assert stores.blobs.read("a/x=9/one") is None
    assert stores.blobs.list_prefixes("a/") == ["a/x=1/", "a/x=2/"]


def test_short_term_values_are_counted_by_prefix(stores):
    keys = ("stm:{hunter}:a", "stm:{hunter}:b:c", "stm:{hunter2}:a")
    stores.short_term.run([SetValue(key, {"n": 1.0, "t": None}, 60) for key in keys])
    actual = stores.short_term.run([GetValue("stm:{hunter}:a"), GetValue("stm:{hunter}:missing")])
    assert actual == [{"n": 1.0, "t": None}, None]
    assert stores.short_term.count("stm:{hunter}:") == 2


def test_numbers_that_the_design_lists_are_attributes_of_items_too(stores):
    states, memories = stores.states, stores.memories
    if not isinstance(memories, DynamoDBMemories):
        pytest.skip("attributes of items are those of DynamoDB; this store has none")
    put(stores, memory(success_rate=0.6))
    key = {"pk": {"S": "hunter#PATTERN"}, "sk": {"S": "whale_pump"}}

    def item():
        return memories._client.get_item(TableName=memories._table, Key=key)["Item"]

    assert item()["success_rate"] == {"N": "0.6"}
    memories.put(memory(version=2, success_rate="none"), after=memory(success_rate=0.6))
    assert "success_rate" not in item()
    assert memories.get("hunter", "PATTERN", "whale_pump").data == {"success_rate": "none"}
    states.put("hunter", "CURRENT", {"current_cycle": 142, "source_metrics": {}}, expected_version=0, now_ms=5)
    key = {"pk": {"S": "hunter"}, "sk": {"S": "CURRENT"}}
    stored = states._client.get_item(TableName=states._table, Key=key)["Item"]
    assert stored["current_cycle"] == {"N": "142"}
    assert states.get("hunter", "CURRENT").data == {"current_cycle": 142, "source_metrics": {}}
