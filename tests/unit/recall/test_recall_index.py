"""The index ranks as the formula does, entry by entry, and says why."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.errors import InvalidInput
from agent_memory.recall import BM25, Entry, RecallIndex, WordOverlap
from tests.unit.recall import plain_recall

NOW = 1_795_176_000.0
HALF_LIVES = {"trade": 3_600.0, "outcome": 86_400.0}

words = st.sampled_from(["Gamma", "squeeze", "dealer", "flow", "spread", "LOSS", "win"])
texts = st.lists(words, max_size=6).map(" ".join)
entries = st.lists(
    st.builds(
        Entry,
        id=st.uuids().map(str),
        kind=st.sampled_from(["trade", "outcome", "signal"]),
        text=texts,
        importance=st.sampled_from([0.0, 0.3, 1.0, 1.5, 2.0]) | st.floats(0, 10),
        timestamp=st.integers(-200_000, 5_000).map(lambda seconds: NOW + seconds),
        symbol=st.sampled_from(["SPY", "BTC", None]),
    ),
    max_size=25,
    unique_by=lambda entry: entry.id,
)


@given(
    made=entries,
    removed=st.sets(st.integers(0, 24)),
    query=texts,
    kind=st.sampled_from([None, "trade", "never"]),
    symbol=st.sampled_from([None, "SPY", "never"]),
    top_k=st.integers(1, 30),
    similarity=st.sampled_from([(WordOverlap(), plain_recall.overlap), (BM25(), plain_recall.bm25)]),
)
def test_the_ranking_is_that_of_the_formula(made, removed, query, kind, symbol, top_k, similarity):
    ours, weigh = similarity
    index = RecallIndex(half_lives=HALF_LIVES, similarity=ours)
    index.add_many(made)
    for place in removed & set(range(len(made))):
        assert index.remove(made[place].id)
    left = [entry for place, entry in enumerate(made) if place not in removed]
    found = index.recall(query, now=NOW, kind=kind, symbol=symbol, top_k=top_k)
    expected = plain_recall.recall(
        left, query, now=NOW, half_lives=HALF_LIVES, default=3_600.0, weigh=weigh, kind=kind, symbol=symbol, top_k=top_k
    )
    scores = [score for _, score in expected]
    assert [one.score for one in found] == pytest.approx(scores, rel=1e-9)
    # Scores that differ by rounding only may change places.
    for one, (entry_id, score) in zip(found, expected, strict=True):
        assert (
            one.entry.id == entry_id
            or sum(math.isclose(score, other, rel_tol=1e-9) for other in scores) > 1
            or (len(expected) == top_k)
        )
    assert len(index) == len(left)


def entry(entry_id="a", kind="trade", text="gamma squeeze", importance=1.0, age=0.0, **more):
    return Entry(entry_id, kind, text, importance, NOW - age, **more)


def test_importance_fades_by_half_in_a_half_life_of_its_kind():
    index = RecallIndex(half_lives=HALF_LIVES)
    index.add_many([entry("a", age=3_600), entry("b", kind="outcome", age=86_400), entry("c", age=-50)])
    assert [(one.entry.id, one.score) for one in index.recall(now=NOW)] == [("c", 1.0), ("a", 0.5), ("b", 0.5)]


def test_an_explanation_gives_each_part_of_the_score():
    index = RecallIndex(half_lives=HALF_LIVES, similarity=WordOverlap())
    index.add(entry(text="Gamma squeeze of dealers", importance=2.0, age=3_600))
    (one,) = index.recall("gamma Squeeze tomorrow", now=NOW, explain=True)
    assert one.score == 3.0
    assert one.why == {
        "importance": 2.0,
        "half_life_seconds": 3_600.0,
        "decay": 0.5,
        "faded_importance": 1.0,
        "similarity": 2.0,
        "words": {"gamma": 1.0, "squeeze": 1.0},
        "embedding": None,
    }


def test_what_has_no_score_is_not_recalled():
    index = RecallIndex()
    index.add_many([entry("a", importance=0.0), entry("b", importance=0.0, text="loss")])
    assert [one.entry.id for one in index.recall("loss", now=NOW)] == ["b"]
    assert index.recall(now=NOW) == []


def test_an_entry_takes_the_place_of_one_with_its_id():
    index = RecallIndex()
    index.add(entry(text="old", payload=1))
    index.add(entry(text="new", payload=2))
    (one,) = index.recall("old new", now=NOW)
    assert (one.entry.payload, len(index), index.remove("a"), index.remove("a"), len(index)) == (2, 1, True, False, 0)
    assert index.recall("new", now=NOW) == []


def test_an_embedder_finds_what_shares_no_word():
    class Letters:
        """Counts of three letters."""

        def embed(self, texts):
            return np.array([[text.count(letter) + 0.01 for letter in "abc"] for text in texts])

    index = RecallIndex(embedder=Letters(), embedding_weight=2.0)
    index.add_many([entry("x", text="aaa", importance=0.0), entry("y", text="ccc", importance=0.0)])
    first, second = index.recall("aa aa", now=NOW, explain=True)
    assert (first.entry.id, first.score) == ("x", pytest.approx(2.0, abs=0.01))
    assert second.score < 0.1
    assert first.why["embedding"] == first.score


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"entry_id": ""}, "id"),
        ({"kind": None}, "kind"),
        ({"text": None}, "text"),
        ({"importance": math.nan}, "importance"),
        ({"importance": -1}, "importance"),
        ({"age": math.inf}, "timestamp"),
    ],
)
def test_unusable_entries_are_named_and_nothing_is_added(change, field):
    index = RecallIndex()
    with pytest.raises(InvalidInput) as caught:
        index.add_many([entry("fine"), entry(**change)])
    assert (caught.value.field, len(index)) == (field, 0)


@pytest.mark.parametrize("top_k", [0, 1_001, True, "5"])
def test_an_unusable_number_is_named(top_k):
    with pytest.raises(InvalidInput, match="top_k"):
        RecallIndex().recall(now=NOW, top_k=top_k)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan])
def test_an_unusable_half_life_is_named(seconds):
    with pytest.raises(InvalidInput, match="half_life"):
        RecallIndex(half_lives={"trade": seconds})
