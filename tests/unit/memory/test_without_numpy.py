"""The ranking is the same with NumPy and without it, as entries come, change and go."""

import random
import sys

import pytest

from agent_memory.memory.entry_index import Entry, EntryIndex
from agent_memory.memory.optional_numpy import optional_numpy
from agent_memory.memory.ranking import HalfLives, Question, rank
from agent_memory.model.embeddings import unit_vector
from agent_memory.model.recall_weights import Weights

NOW = 1_795_176_000.0
WORDS = ["gamma", "squeeze", "dealer", "flow", "spread", "loss", "win", "funding", "basis", "hedge"]


OUTCOMES = {**{f"e{number}": -0.5 for number in range(0, 1_500, 7)}, "e1299": 1.0, "unknown": 1.0}


def entry(number, version=0):
    generator = random.Random(f"{number} {version}")
    return Entry(
        f"e{number}",
        generator.choice(["PATTERN", "LESSON"]),
        " ".join(generator.choices(WORDS, k=6)),
        importance=generator.random(),
        timestamp=NOW - generator.randrange(-100, 10**6),
        half_life=generator.choice([None, 5_000.0]),
    )


def vector(text, dimensions):
    generator = random.Random(text)
    return unit_vector([generator.random() - 0.5 for _ in range(dimensions)])


def filled():
    """An index of 300 entries after changes and removals, enough of them that the entries are numbered anew."""
    index = EntryIndex(entry(number) for number in range(1_500))
    vectors = index.vectors("model")
    for number, one in index.numbered():
        if number % 5:
            vectors.put(number, vector(one.text, 8 if number % 7 else 4))
    index.put([entry(number, version=1) for number in range(0, 1_500, 3)])
    for number in range(1_200):
        index.discard(f"e{number}")
    assert len(index.entries) < 1_500
    return index


def ranking(index, **options):
    question = Question(
        "flows that squeeze dealers", NOW, HalfLives({"LESSON": 9_000.0}, 3_600.0), outcomes=OUTCOMES, **options
    )
    found = rank([index], question, top_k=40, explain=True)
    return found, [(one.entry.id, one.score) for one in found]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"vector": vector("query", 8), "model": "model"},
        {"vector": vector("query", 4), "model": "model", "weights": Weights(outcome=2.0, text=0.3)},
        {"vector": vector("query", 8), "model": "model", "accepts": lambda one: one.kind == "LESSON"},
        {"importances": {"e1499": 0.0, "e1250": 3.0, "unknown": 1.0}},
    ],
)
def test_both_rank_alike_and_explain_their_scores(options, monkeypatch):
    found, with_numpy = ranking(filled(), **options)
    page, _ = ranking(filled(), **options, after=found[9].place)
    monkeypatch.setitem(sys.modules, "numpy", None)
    optional_numpy.cache_clear()
    try:
        assert optional_numpy() is None
        plain, without = ranking(filled(), **options)
    finally:
        optional_numpy.cache_clear()
    assert [one for one, _ in without] == [one for one, _ in with_numpy]
    assert [score for _, score in without] == pytest.approx([score for _, score in with_numpy], rel=1e-6)
    assert [one.entry.id for one in page[:30]] == [one.entry.id for one in found[10:]]
    for one in [*found, *plain]:
        assert one.why["faded_importance"] + one.why["similarity"] == pytest.approx(one.score, rel=1e-6)
    if "vector" in options:
        assert any(one.why["meaning"] for one in found)
        assert not all(one.why["meaning"] for one in found)


def test_both_count_the_words_of_earlier_entries_alike(monkeypatch):
    index, stems, before = filled(), ["squeez", "flow", "unknown"], NOW - 500_000
    earlier = EntryIndex(one for _, one in index.numbered() if one.timestamp < before)
    expected = earlier.statistics(stems)
    assert 0 < expected.entries < len(index)
    found = index.statistics(stems, before=before)
    monkeypatch.setitem(sys.modules, "numpy", None)
    optional_numpy.cache_clear()
    try:
        plain = index.statistics(stems, before=before)
    finally:
        optional_numpy.cache_clear()
    for one in (found, plain):
        assert (one.entries, one.length) == (expected.entries, expected.length)
        assert {stem: one.containing[stem] for stem in stems} == {stem: expected.containing[stem] for stem in stems}
