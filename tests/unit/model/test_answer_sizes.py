"""The size of an answer: a bound of it is computed first, and the decision is as if each entry were measured."""

import json
from enum import StrEnum

from hypothesis import given
from hypothesis import strategies as st

from agent_memory.model.listings import AnswerSize


class Word(StrEnum):
    YES = "yes"


TEXTS = st.text(st.characters(codec=None, categories=("L", "N", "Cc", "Cs", "P", "So")), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | st.just(Word.YES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def measured(entry):
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass")) + text.count('"') + text.count("\\") + 1


@given(st.lists(VALUES, max_size=20), st.integers(0, 2_000))
def test_entries_are_added_as_if_each_were_measured(entries, limit):
    size, left = AnswerSize(limit), limit
    for entry in entries:
        fits = measured(entry) <= left
        left -= measured(entry) * fits
        assert size.add(entry) is fits


@given(st.lists(VALUES, max_size=20))
def test_the_same_text_again_counts_again(entries):
    again = entries * 3
    exact = sum(map(measured, again))
    enough, less = AnswerSize(exact), AnswerSize(max(0, exact - 1))
    assert all(enough.add(one) for one in again)
    assert all(less.add(one) for one in again) is (not again)
