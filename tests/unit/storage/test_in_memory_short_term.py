"""Short-term memory in the process keeps what Redis would, and does not read all keys for one."""

import pytest

from agent_memory.ports import short_term as stm
from agent_memory.storage.in_memory.short_term import InMemoryShortTerm


class CountedKeys(dict):
    """Counts how often all entries are gone through."""

    passes = 0

    def items(self):
        CountedKeys.passes += 1
        return super().items()


def test_a_call_does_not_go_through_all_keys(clock):
    store = InMemoryShortTerm(clock)
    store.run([stm.SetValue(f"stm:{{a}}:{number}", number, 60) for number in range(5_000)])
    store._entries = CountedKeys(store._entries)
    CountedKeys.passes = 0
    for number in range(1_000):
        assert store.run([stm.GetValue(f"stm:{{a}}:{number}")]) == [number]
    assert CountedKeys.passes == 0


def test_keys_that_nobody_asks_for_again_are_removed(clock):
    store = InMemoryShortTerm(clock)
    for number in range(20_000):
        store.run([stm.SetValue(f"stm:{{a}}:{number}", number, 1)])
        clock.advance(100)
    assert len(store._entries) < 2_000


def test_tuples_are_lists(clock):
    store = InMemoryShortTerm(clock)
    store.run([stm.AddScored("s", ("a", {"b": (1,)}), 1.0, 60), stm.AddScored("s", ["a", {"b": [1]}], 2.0, 60)])
    store.run([stm.PushValues("l", ((1, 2), [1, 2], (3,)), 10, 60), stm.PushValues("l", ([3],), 10, 60)])
    assert store.run([stm.ListScored("s", 0), stm.ListValues("l", 10)]) == [
        [(["a", {"b": [1]}], 2.0)],
        [[3], [1, 2], [1, 2]],
    ]
    assert store.run([stm.RemoveScored("s", ["a", {"b": (1,)}]), stm.RemoveScored("s", ["a"])]) == [True, False]


def test_a_call_with_a_value_that_is_not_json_changes_nothing(clock):
    store = InMemoryShortTerm(clock)
    with pytest.raises(ValueError, match="JSON"):
        store.run([stm.SetValue("a", 1, 60), stm.SetValue("b", float("nan"), 60)])
    assert store.run([stm.GetValue("a")]) == [None]


def test_a_dump_has_the_values_as_a_cache_has_them(clock):
    store = InMemoryShortTerm(clock)
    store.run(
        [
            stm.SetValue("stm:x", {"a": 1}, 60),
            stm.PushValues("stm:l", (1, 2), 5, 60),
            stm.AddScored("stm:s", [1], 2.5, 60),
        ]
    )
    assert dict(store.dump("stm:")) == {"stm:x": {"a": 1}, "stm:l": [2, 1], "stm:s": [[[1], 2.5]]}
