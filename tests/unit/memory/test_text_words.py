"""The words of a text are the same after they were stored, and what is stored is used only where it is right."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_memory import MemoryManager
from agent_memory.admin.importing.memories import import_memories
from agent_memory.admin.importing.report import ImportReport
from agent_memory.memory import text_words
from agent_memory.memory.text_words import MAX_STORED, TextWords, stored_words
from agent_memory.model.memories import Memory
from agent_memory.storage.dynamodb.items import history_item, memory_from, memory_item
from agent_memory.storage.factory import in_memory_stores
from benchmarks.recalled import PAIRS, UNSEEN_PAIRS

texts = st.text(max_size=60) | st.lists(
    st.sampled_from(["fundingRate", "BTC-USD", "3.5%", "vix", "stop loss", "ON", "a=b|c", "1,000", "买入", "whales"])
).map(" ".join)


@given(text=texts, heading=texts)
@example(text="", heading="")
@example(text="the", heading="")
@example(text="VIX and the fear gauge", heading="stop loss 5% | 1=2")
def test_stored_words_are_those_of_the_text(text, heading):
    words = TextWords.of(text, heading)
    stored = TextWords.decoded(words.encoded())
    assert stored == words
    assert words.encoded() == TextWords.of(text, heading).encoded()


def test_the_version_changes_with_the_words():
    """If this fails, words are not split or stemmed as before: raise `_VERSION`, and write both values here."""
    notes = "\n".join([*(one.read_text(encoding="utf-8") for one in (PAIRS, UNSEEN_PAIRS)), "PnL BRK.B 3.5% 买入"])
    words = sorted(TextWords.of(notes, notes[:500]).frequencies.items())
    digest = hashlib.sha256(repr(words).encode()).hexdigest()[:12]
    assert (text_words._VERSION, digest) == (1, "aa1eb53f673e")


@pytest.mark.parametrize("damage", ["", "|", "1", "2", "|x|1=a", "|1|a", "|99999|1=a", "||x=a", "||1=a=b", "||1.5=a"])
def test_damaged_words_and_other_versions_are_ignored(damage):
    current = TextWords.of("vix").encoded()
    version = current.partition("|")[0]
    assert TextWords.decoded(current.replace(version, f"0{version}")) is None
    if damage != "|":  # no words
        assert TextWords.decoded(version + damage) is None


def test_words_of_long_texts_are_not_stored():
    assert stored_words("word " * 100, "heading") is not None
    assert stored_words("w" * (MAX_STORED - 3), "head") is None


def test_words_of_an_earlier_version_of_a_memory_are_not_used():
    words = stored_words("p1", "whales move first")
    memory = Memory("hunter", "LESSON", "p1", 0.5, {"description": "whales move first"}, 1, 1, 1, words=words)
    item = memory_item(memory)
    assert memory_from(item).words == words
    assert memory_from({**item, "version": {"N": "2"}}).words is None  # by a writer that does not know of them
    assert memory_from(history_item(memory)).words is None
    assert memory_from(memory_item(replace(memory, words=None))).words is None


def test_imported_memories_have_their_words(clock):
    store = in_memory_stores(clock).memories
    memory = Memory("hunter", "LESSON", "p1", 0.5, {"description": "whales move first"}, 1, 1, 1)
    import_memories([memory], store, ImportReport(), write=True)
    assert store.get("hunter", "LESSON", "p1").words == stored_words("p1", "whales move first")


def test_recall_uses_stored_words_and_splits_what_has_none(clock, monkeypatch):
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock).sync
    memory.store_ltm("LESSON", "stored", {"description": "whales move first"})
    memory.store_ltm("LESSON", "long", {"description": "whales " * MAX_STORED})
    split = []
    terms_of = text_words.terms_of
    monkeypatch.setattr(text_words, "terms_of", lambda text, *more: split.append(text) or terms_of(text, *more))
    found = [one["memory"]["pattern_id"] for one in memory.recall("whale", top_k=5)]
    assert sorted(found) == ["long", "stored"]
    assert split == ["long", ("whales " * MAX_STORED)]
