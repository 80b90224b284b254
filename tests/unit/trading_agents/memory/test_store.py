"""The store answers as the reference store does, ties included, and follows every change."""

import copy
import math
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import InvalidInput
from benchmarks.reference_store import ReferenceStore, ReferenceStoreWithHalfLives
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

NOW = 1_795_176_000.0
KINDS = ["trade", "outcome", "signal"]
SYMBOLS = ["SPY", "BTC"]
WORDS = ["Gamma", "gamma", "squeeze", "dealer", "flow", "LOSS", "win"]


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


texts = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
scores = st.sampled_from([0, 0.0, 1, 1.0, 2.0, 0.5, -1.0]) | st.floats(-2, 5)
ages = st.sampled_from([0.0, 60.0, 3_600.0, 7_200.0, 250_000.0, 5e6, -60.0]) | st.floats(-5_000, 1e6)
rows = st.tuples(st.sampled_from(KINDS), texts, scores, st.sampled_from(SYMBOLS), ages)


def items_of(rows):
    return [
        TradingMemoryItem(kind, text, score, symbol, {"n": n}, timestamp=NOW - age)
        for n, (kind, text, score, symbol, age) in enumerate(rows)
    ]


def same(found, expected):
    assert [item.metadata["n"] for item in found] == [item.metadata["n"] for item in expected]


@pytest.mark.slow
@settings(max_examples=300)
@given(
    item_rows=st.lists(rows, max_size=30),
    later=st.floats(0, 1e5),
    query=texts,
    kind=st.sampled_from([None, "", "trade", "never"]),
    symbol=st.sampled_from([None, "SPY"]),
    topk=st.integers(0, 12),
    half_life=st.sampled_from([3_600, 60.0, 86_400.0]),
    half_lives=st.sampled_from([{}, {"trade": 600.0}, {"trade": 1e6, "signal": 5.0}]),
    min_score=st.sampled_from([0.1, 0.0, 0.5, -0.5]),
)
def test_every_answer_is_that_of_the_reference_store(
    item_rows, later, query, kind, symbol, topk, half_life, half_lives, min_score
):
    clock = Clock()
    reference = ReferenceStoreWithHalfLives(half_life, clock, half_lives)
    store = TradingMemoryStore(half_life, half_lives=half_lives, clock=clock)
    for item in items_of(item_rows):
        reference.items.append(item)
        store.items.append(item)
    same(store.search(query, kind, symbol, topk), reference.search(query, kind, symbol, topk))
    clock.now += later
    same(store.search(query, kind, symbol, topk), reference.search(query, kind, symbol, topk))
    same(store.get_recent(kind, symbol, topk), reference.get_recent(kind, symbol, topk))
    assert store.summarize("SPY") == reference.summarize("SPY")
    assert store.cleanup(min_score) == reference.cleanup(min_score)
    assert store.items == reference.items
    same(store.search(query, kind, symbol, topk), reference.search(query, kind, symbol, topk))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    vocabulary=st.sampled_from([3, 50, 2_000]),
    half_life=st.sampled_from([60.0, 3_600.0, 86_400.0, 1e7]),
    distinct_scores=st.sampled_from([1, 2, 100]),
    still=st.booleans(),
)
@pytest.mark.slow
def test_long_lists_are_ranked_like_the_reference_store(seed, vocabulary, half_life, distinct_scores, still):
    """Enough items for heads, bounds and chunks to matter; skewed words; many exact ties."""
    chance = random.Random(seed)
    clock = Clock()
    reference, store = ReferenceStore(half_life, clock), TradingMemoryStore(half_life, clock=clock)

    def text(length):
        return " ".join(f"w{int(vocabulary ** chance.random())}" for _ in range(length))

    item_rows = [
        (
            chance.choice(KINDS),
            text(6),
            chance.randint(0, distinct_scores) / distinct_scores * 2,
            chance.choice(SYMBOLS),
            0.0 if still else chance.random() * 3 * 86_400,
        )
        for _ in range(3_500)
    ]
    items = items_of(item_rows)
    for more, min_score in ((items[:3_000], None), (items[3_000:], None), ([], 0.5)):
        for item in more:
            reference.items.append(item)
            store.append(item)
        if min_score is not None:
            assert store.cleanup(min_score) == reference.cleanup(min_score)
        for length in (0, 1, 2, 4):
            for kind, symbol in ((None, None), ("trade", None), (None, "BTC"), ("trade", "BTC")):
                query, topk = text(length), chance.choice([1, 5, 40])
                same(store.search(query, kind, symbol, topk), reference.search(query, kind, symbol, topk))
    same(store.get_recent(n=100), reference.get_recent(n=100))


def test_the_order_follows_half_lives_that_differ():
    clock = Clock()
    store = TradingMemoryStore(3_600, half_lives={"regime": 86_400}, clock=clock)
    store.add("trade", "fast", 2.0)
    store.add("regime", "slow", 1.5)
    assert [item.content for item in store.search()] == ["fast", "slow"]
    clock.now += 3_600
    assert [item.content for item in store.search()] == ["slow", "fast"]


def test_the_default_clock_is_the_system_clock():
    before = time.time()
    store = TradingMemoryStore()
    item = store.add("signal", "long")
    assert before <= item.timestamp <= time.time()
    assert (item.score, item.symbol, item.metadata, store.decay_half_life) == (1.0, "SPY", {}, 3_600)


def test_an_edited_item_is_ranked_again_and_keeps_its_position():
    store = TradingMemoryStore(clock=Clock())
    first, second = store.add("trade", "a"), store.add("trade", "b")
    assert store.search() == [first, second]
    first.timestamp -= 3_600
    assert store.search() == [second, first]
    second.timestamp -= 3_600
    assert store.search() == [first, second]
    second.content = "gamma"
    assert store.search("Gamma") == [second, first]
    assert store.items == [first, second]


def test_items_are_a_list_that_changes_the_store():
    store = TradingMemoryStore(clock=Clock())
    a, b, c, d = (TradingMemoryItem("trade", text, timestamp=NOW) for text in "abcd")
    assert store.items == []
    store.items.append(b)
    store.items.insert(0, a)
    store.items += [c]
    store.items[2] = d
    assert (store.items, store.items[-1], store.items[:1], len(store.items)) == ([a, b, d], d, [a], 3)
    del store.items[1]
    assert store.search() == [a, d]
    store.items = [c]
    assert (store.search(), store.items[0], repr(store.items)) == ([c], c, repr([c]))
    store.items.clear()
    assert store.search() == []


def test_beyond_max_items_the_least_important_is_removed():
    clock = Clock()
    store = TradingMemoryStore(3_600, half_lives={"slow": 1e6}, max_items=3, clock=clock)
    for kind, text, score in (("slow", "s", 1.0), ("fast", "f", 1.5), ("fast", "g", 1.2)):
        store.add(kind, text, score)
    clock.now += 3_600
    store.add("fast", "new", 1.0)
    assert [item.content for item in store.items] == ["s", "f", "new"]
    store.add("fast", "unimportant", 0.1)
    assert [item.content for item in store.items] == ["s", "f", "new"]


def importance_rank(item):
    """The importance of an item as a sort key that does not round to zero."""
    halvings = (NOW - item.timestamp) / 3_600
    size = math.log2(abs(item.score)) - halvings if item.score else -math.inf
    return (-1, -size) if item.score < 0 else (1, size)


@pytest.mark.slow
@settings(max_examples=100)
@given(item_rows=st.lists(rows, min_size=1, max_size=40), size=st.integers(1, 10))
def test_the_removed_item_is_the_least_important(item_rows, size):
    store = TradingMemoryStore(max_items=size, clock=Clock())
    for item in items_of(item_rows):
        before = [*store.items, item]
        store.append(item)
        after = list(map(id, store.items))
        assert len(after) == min(size, len(before))
        for removed in [one for one in before if id(one) not in after]:
            sign, size_of_least = min(map(importance_rank, before))
            assert importance_rank(removed) == (sign, pytest.approx(size_of_least, abs=1e-9))
            twins = [one for one in before if (one.score, one.timestamp) == (removed.score, removed.timestamp)]
            assert twins[0] is removed


def test_among_equal_items_the_oldest_is_removed():
    store = TradingMemoryStore(max_items=2, clock=Clock())
    for text in "abcdefgh":
        store.add("trade", text)
    assert [item.content for item in store.items] == ["g", "h"]


def test_the_store_is_reset_when_due():
    clock = Clock()
    store = TradingMemoryStore(reset_every=86_400, clock=clock)
    store.add("trade", "old")
    clock.now += 86_399
    assert len(store.search()) == 1
    clock.now += 1
    assert (store.search(), store.items) == ([], [])
    store.add("trade", "new")
    clock.now += 86_399
    assert [item.content for item in store.search()] == ["new"]


def test_a_changed_half_life_takes_effect():
    clock = Clock()
    store = TradingMemoryStore(clock=clock)
    item = store.add("trade", "x", 1.0)
    clock.now += 7_200
    assert store.importance(item) == 0.25
    store.decay_half_life = 7_200
    assert (store.importance(item), store.cleanup(0.4)) == (0.5, 0)


def test_numpy_numbers_are_stored_as_python_numbers():
    item = TradingMemoryStore().add("trade", "x", np.float32(0.5), metadata={"n": np.int64(3)})
    assert (type(item.score), item.score) == (float, 0.5)
    item.score = np.int64(2)
    assert (type(item.score), item.score) == (float, 2.0)


def test_a_deep_copy_is_independent():
    store = TradingMemoryStore(clock=Clock())
    store.add("trade", "x")
    other = copy.deepcopy(store)
    other.items[0].content = "y"
    other.add("trade", "z")
    assert [item.content for item in store.search()] == ["x"]
    assert [item.content for item in other.search("y")] == ["y", "z"]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: TradingMemoryStore(0), "decay_half_life"),
        (lambda: TradingMemoryStore(half_lives={"trade": -1}), "half_lives['trade']"),
        (lambda: TradingMemoryStore(max_items=0), "max_items"),
        (lambda: TradingMemoryStore(reset_every="1d"), "reset_every"),
        (lambda: TradingMemoryStore().add("trade", None), "content"),
        (lambda: TradingMemoryStore().add(3, "x"), "kind"),
        (lambda: TradingMemoryStore().add("trade", "x", float("nan")), "score"),
        (lambda: TradingMemoryStore().add("trade", "x", symbol=None), "symbol"),
        (lambda: TradingMemoryStore().search(topk=-1), "topk"),
        (lambda: TradingMemoryStore().search(query=["x"]), "query"),
        (lambda: TradingMemoryStore().get_recent(n=1.5), "n"),
    ],
)
def test_invalid_arguments_are_named(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()
    assert caught.value.field == field
