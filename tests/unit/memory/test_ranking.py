"""Entries are ranked as by an independent implementation of the formula, and each score is explained."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from agent_memory.memory.entry_index import Entry, EntryIndex
from agent_memory.memory.ranking import HalfLives, Question, rank
from tests.unit.memory import reference_recall

NOW = 1_795_176_000.0
BY_KIND = {"trade": 3_600.0, "outcome": 86_400.0}
HALF_LIVES = HalfLives(BY_KIND, 3_600.0)

words = st.sampled_from(["Alder", "squeeze", "cedar", "flow", "birch", "LOSS", "win"])  # none is in the glossary
texts = st.lists(words, max_size=6).map(" ".join)
entries = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids().map(str),
            "kind": st.sampled_from(["trade", "outcome", "signal"]),
            "text": texts,
            "importance": st.sampled_from([0.0, 0.3, 1.0, 1.5, 2.0]) | st.floats(0, 10),
            "timestamp": st.integers(-200_000, 5_000).map(lambda seconds: NOW + seconds),
            "symbol": st.sampled_from(["SPY", "BTC", None]),
        }
    ).map(lambda values: Entry(**values)),
    max_size=25,
    unique_by=lambda entry: entry.id,
)


@given(
    examples=entries,
    query=texts,
    kind=st.sampled_from([None, "trade", "never"]),
    top_k=st.integers(1, 30),
)
def test_the_ranking_is_that_of_the_formula(examples, query, kind, top_k):
    found = ranked(examples, query, accepts=lambda one: one.kind == (kind or one.kind), top_k=top_k)
    expected = reference_recall.recall(
        examples,
        query,
        now=NOW,
        half_lives=BY_KIND,
        default=3_600.0,
        weigh=reference_recall.bm25,
        kind=kind,
        top_k=top_k,
    )
    scores = [score for _, score in expected]
    assert [one.score for one in found] == pytest.approx(scores, rel=1e-9)
    # Entries whose scores differ only by rounding may be in another order.
    for one, (entry_id, score) in zip(found, expected, strict=True):
        assert (
            one.entry.id == entry_id
            or sum(math.isclose(score, other, rel_tol=1e-9) for other in scores) > 1
            or (len(expected) == top_k)
        )


def entry(entry_id="a", kind="trade", text="gamma squeeze", importance=1.0, age=0.0, **more):
    return Entry(entry_id, kind, text, importance, NOW - age, **more)


def ranked(entries, query="", top_k=5, explain=False, **options):
    question = Question(query, now=NOW, half_lives=HALF_LIVES, **options)
    return rank([EntryIndex(entries)], question, top_k=top_k, explain=explain)


def test_importance_halves_in_the_half_life_of_its_kind():
    found = ranked([entry("a", age=3_600), entry("b", kind="outcome", age=86_400), entry("c", age=-50)])
    assert [(one.entry.id, one.score) for one in found] == [("c", 1.0), ("a", 0.5), ("b", 0.5)]


def test_an_explanation_has_each_part_of_the_score():
    examples = [
        entry(text="Alder squeeze of cedars", importance=2.0, age=3_600),
        entry("b", text="quiet", importance=0.1),
    ]
    one, _ = ranked(examples, "alder Squeeze tomorrow", explain=True)
    assert one.why["words"].keys() == {"alder", "squeeze"}
    assert one.why["similarity"] == pytest.approx(sum(one.why["words"].values()))
    assert one.score == 1.0 + one.why["similarity"]
    parts = {name: one.why[name] for name in ("importance", "half_life_seconds", "decay", "faded_importance")}
    assert parts == {"importance": 2.0, "half_life_seconds": 3_600.0, "decay": 0.5, "faded_importance": 1.0}


def test_entries_without_a_score_are_not_returned():
    examples = [entry("a", importance=0.0), entry("b", importance=0.0, text="loss")]
    assert [one.entry.id for one in ranked(examples, "loss")] == ["b"]
    assert ranked(examples) == []
    assert ranked([], "loss") == []


@pytest.mark.parametrize("top_k", [0, 1_002, True, "5"])
def test_an_invalid_top_k_is_refused(top_k):
    with pytest.raises(InvalidInput, match="top_k"):
        ranked([], top_k=top_k)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan, "60", None, True])
def test_an_invalid_half_life_is_refused(seconds):
    with pytest.raises(InvalidInput, match="half_lives"):
        HalfLives({"trade": seconds}, 1.0)
