"""Stored words are searched and, later, have postings: both say exactly what an index of the texts themselves says."""

from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_memory.memory import optional_numpy, text_index, text_words
from agent_memory.memory.glossary import Glossary
from agent_memory.memory.glossary_source import compiled
from agent_memory.memory.text_index import QueryWords, TextIndex
from agent_memory.memory.text_words import StoredWords, TextWords

TERMS = """
vix, fear index | fear gauge
stop loss, protective stop | automatic exit, cutting losses
drawdown | losses since the highest value, fear
"""
some_words = st.sampled_from(
    [
        "vix",
        "fear gauge",
        "stop loss",
        "exit",
        "exits",
        "fear",
        "gauge",
        "bread",
        "a=b|c",
        "1",
        "3.5%",
        "买入",
        "drawdown",
    ]
)
some_texts = st.lists(some_words, max_size=5).map(" ".join)
queries = st.lists(st.lists(some_words | st.text(max_size=4), max_size=3).map(" ".join), max_size=8)


def of_text(texts):
    return partial(TextWords.of, *texts)


def of_stored_words(texts):
    return lambda: StoredWords.of(TextWords.of(*texts).encoded())


def said(index, query):
    """All that an index says of a query, with the numbers of the texts."""
    words = QueryWords.of(query)
    statistics = index.statistics(words.stems())
    count = len(index._row_of)
    by_number = [index.weights(number, words, statistics) for number in range(count)]
    column = index.similarity_column(words, statistics).tolist() if optional_numpy.optional_numpy() else None
    since = index.statistics(words.stems(), [number % 2 == 0 for number in range(count)]) if count else None
    return statistics, since, index.similarities(words, statistics), column, by_number


@given(
    rounds=st.lists(
        st.tuples(st.lists(st.tuples(some_texts, some_texts, st.booleans()), max_size=6), queries), max_size=4
    ),
    data=st.data(),
)
@example(
    rounds=[([("vix 1", "", True), ("bread", "", False), ("fear", "vix", True)], ["vix"] * 3 + ["fear gauge"] * 9)],
    data=None,
)
def test_an_index_of_stored_words_says_what_one_of_texts_says(rounds, data):
    glossary = Glossary(compiled(TERMS))
    with pytest.MonkeyPatch.context() as patch:
        for module in (text_index, text_words):
            patch.setattr(module, "trading_glossary", lambda: glossary)
        text_words._version.cache_clear()
        patch.setattr(text_index, "_SEARCHES", 5)
        index, expected = TextIndex(), TextIndex()
        for texts, asked in rounds:
            keyed = [((text, heading), of_text((text, heading))) for text, heading, _ in texts]
            stored = [
                (key, of_stored_words(key) if is_stored else words)
                for (key, words), (*_, is_stored) in zip(keyed, texts, strict=True)
            ]
            assert index.add(stored) == expected.add(keyed)
            present = [number for number, is_present in enumerate(expected._is_present) if is_present]
            removed = data.draw(st.sets(st.sampled_from(present))) if data and present else ()
            for number in removed:
                index.remove(number)
                expected.remove(number)
            for query in asked:
                assert said(index, query) == said(expected, query)
    text_words._version.cache_clear()


def test_stored_words_have_postings_once_many_stems_were_searched():
    index = TextIndex()
    index.add([((f"word{n}", ""), of_stored_words((f"word{n}", ""))) for n in range(30)])
    for n in range(text_index._SEARCHES):
        assert index.statistics([f"word{n}"]).containing == {f"word{n}": 1}
    assert not index._postings
    assert index.statistics(["word20"]).containing == {"word20": 1}
    assert index._postings["word3"][0].tolist() == [3]


@given(words=st.builds(TextWords.of, some_texts, some_texts))
def test_stored_words_know_how_many_they_are(words):
    stored = StoredWords.of(words.encoded())
    assert (stored.length, list(stored.terms)) == (words.length, list(words.terms))
    assert stored.frequencies() == words.frequencies
