"""Terms are found in texts in every form, and texts that say the same in other words are found by them."""

import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import MemoryManager
from agent_memory.memory import optional_numpy, text_index, text_words
from agent_memory.memory.glossary import Glossary, trading_glossary
from agent_memory.memory.glossary_source import COMPILED, SOURCE, compiled
from agent_memory.memory.text_index import EXPLANATION_WEIGHT, QueryWords, TextIndex
from agent_memory.memory.text_words import TextWords

TERMS = """
# orders
stop loss, protective stop | automatic exit, cutting losses
stop loss order | an order that sells
vix, s&p volatility | fear gauge
fear gauge | the VIX index
"""


@pytest.fixture
def glossary():
    return Glossary(compiled(TERMS))


@pytest.mark.parametrize(
    ("text", "explanations"),
    [
        ("Stop-losses were hit", ["automatic exit, cutting losses"]),
        ("a stop_loss order", ["an order that sells"]),
        ("stopLoss and PROTECTIVE STOPS", ["automatic exit, cutting losses"]),
        ("the S&P volatility, that is the VIX", ["fear gauge"]),
        ("stop the loss", []),
        ("stop", []),
        ("", []),
        ("ＶＩＸ then stop loss", ["fear gauge", "automatic exit, cutting losses"]),
    ],
)
def test_terms_are_found_in_every_form_the_longest_first(glossary, text, explanations):
    assert [one.explanation for one in glossary.terms_in(text)] == explanations
    assert glossary.explained(text) == (f"{text} ({'; '.join(explanations)})" if explanations else text)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("vix |", "line 1"),
        ("| explanation", "line 1"),
        ("vix explanation", "line 1"),
        ("vix, , gvz | explanation", "line 1"),
        ("vix | one\n\nVIX | another", "line 3: 'vix' stands in line 1"),
        ("stop loss | one\nother, stops losses | another", "line 2"),
    ],
)
def test_a_wrong_entry_is_named(source, error):
    with pytest.raises(ValueError, match=error):
        compiled(source)


def test_the_shipped_glossary_is_that_of_its_source():
    assert COMPILED.read_text(encoding="utf-8") == compiled(SOURCE.read_text(encoding="utf-8"))
    assert (
        Glossary(compiled(TERMS)).version != trading_glossary().version == Glossary(COMPILED.read_text("utf-8")).version
    )


# --- texts in other words ------------------------------------------------------------------------


@pytest.fixture
def index(glossary, monkeypatch):
    for module in (text_index, text_words):
        monkeypatch.setattr(module, "trading_glossary", lambda: glossary)
    return TextIndex()


def keyed(texts):
    """Texts with their headings as an index takes them."""
    return [(one, partial(TextWords.of, *one)) for one in texts]


def similarities(index, query):
    words = QueryWords.of(query)
    return index.similarities(words, index.statistics(words.stems()))


def idf(entries, containing):
    return math.log1p((entries - containing + 0.5) / (containing + 0.5))


def test_a_word_that_explains_a_term_of_an_entry_finds_it(index):
    index.add(keyed([("sold by a stop loss",), ("bread",), ("bread",)]))
    assert similarities(index, "cutting") == {0: pytest.approx(idf(3, 1))}


def test_a_word_that_explains_a_term_of_the_query_finds_entries(index):
    index.add(keyed([("bread",), ("gauge",), ("bread",)]))
    longest = index.statistics([]).length / 3
    assert longest == 1.0
    assert similarities(index, "VIX") == {1: pytest.approx(EXPLANATION_WEIGHT * idf(3, 1))}


def test_an_entry_with_the_term_itself_is_found_by_its_words_alone(index):
    index.add(keyed([("vix",), ("bread",)]))
    assert similarities(index, "vix") == {0: pytest.approx(idf(2, 1))}


def test_each_weight_is_explained(index):
    index.add(keyed([("fear gauge up",), ("vix down",), ("bread",)]))
    words = QueryWords.of("vix down")
    statistics = index.statistics(words.stems())
    by_word, by_explanation = index.weights(0, words, statistics)
    assert (by_word.keys(), by_explanation.keys()) == ({"vix"}, {"fear gauge"})
    assert sum(by_word.values()) + sum(by_explanation.values()) == pytest.approx(
        index.similarities(words, statistics)[0]
    )
    assert index.weights(1, words, statistics)[1] == {}
    assert index.weights(2, words, statistics) == ({}, {})


some_words = st.sampled_from(["vix", "fear gauge", "stop loss", "protective stop", "exit", "fear", "index", "bread"])
some_texts = st.lists(some_words, max_size=5).map(" ".join)


@given(entries=st.lists(st.tuples(some_texts, some_texts), max_size=8), query=some_texts, data=st.data())
def test_columns_and_explanations_add_up_to_the_similarities(entries, query, data):
    glossary = Glossary(compiled(TERMS))
    with pytest.MonkeyPatch.context() as patch:
        for module in (text_index, text_words):
            patch.setattr(module, "trading_glossary", lambda: glossary)
        index, kept = TextIndex(), TextIndex()
        index.add(keyed(entries))
        removed = data.draw(st.sets(st.integers(0, max(0, len(entries) - 1)), max_size=len(entries)))
        for number in removed:
            index.remove(number)
        kept.add(keyed(one for number, one in enumerate(entries) if number not in removed))
        words = QueryWords.of(query)
        statistics = index.statistics(words.stems())
        assert statistics == kept.statistics(words.stems())
        found = index.similarities(words, statistics)
        assert sorted(found.values()) == pytest.approx(sorted(kept.similarities(words, statistics).values()))
        for number, score in found.items():
            by_word, by_explanation = index.weights(number, words, statistics)
            assert sum(by_word.values()) + sum(by_explanation.values()) == pytest.approx(score)
        if optional_numpy.optional_numpy() is not None:
            column = index.similarity_column(words, statistics)
            assert {n: one for n, one in enumerate(column) if one} == pytest.approx(
                {n: one for n, one in found.items() if one}
            )


def test_a_note_is_found_by_what_a_layman_says(clock, in_memory_memory):
    notes = {
        "puts": "Protective puts cost more than they saved",
        "miners": "Hash rate fell after the halving",
        "lunch": "Orders were filled late at lunch",
    }
    for name, note in notes.items():
        in_memory_memory.store_ltm("LESSON", name, {"description": note})
    for question, name in (
        ("was insurance against a crash worth its premium?", "puts"),
        ("what did the computing power of the network do?", "miners"),
    ):
        first = in_memory_memory.recall(question, explain=True)[0]
        assert first["memory"]["pattern_id"] == name
        assert first["why"]["text"] == pytest.approx(
            sum([*first["why"]["words"].values(), *first["why"]["explanations"].values()])
        )


@pytest.fixture
def in_memory_memory(clock):
    from agent_memory.storage.factory import in_memory_stores

    return MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock).sync
