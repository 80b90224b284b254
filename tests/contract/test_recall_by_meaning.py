"""Recall by meaning on every store, with an embedder that knows two concepts."""

import threading
from dataclasses import replace

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import to_iso
from agent_memory.memory.embedded_texts import EmbeddedTexts
from agent_memory.memory.recall_indexes import indexes_of
from agent_memory.storage.embedders import embedder_of

CONCEPTS = (("bakers", "bread makers"), ("minnows", "small fish"), ("weather", "rain"))


class Concepts:
    """One dimension per concept, and a little of another one; counts the texts that it was given."""

    name = "concepts"

    def __init__(self):
        self.texts = []

    def embed(self, texts):
        self.texts += texts
        return [[0.1, *(float(any(one in text for one in names)) for names in CONCEPTS)] for text in texts]


class Failing:
    name = "failing"

    def embed(self, texts):
        raise ConnectionError(f"no route to the model for {len(texts)} texts")


class Nameless(Concepts):
    name = None


class Picky(Concepts):
    """Takes a few texts at a time, and fails for some."""

    def __init__(self, answer, most=64):
        super().__init__()
        self.answer, self.most, self.calls = answer, most, 0

    def embed(self, texts):
        self.calls += 1
        if len(texts) > self.most:
            raise ValueError("too many texts")
        vectors = super().embed(texts)
        return [self.answer() if "bad" in text else vector for text, vector in zip(texts, vectors, strict=True)]


@pytest.fixture
def embedder():
    return Concepts()


@pytest.fixture
def memory(stores, clock, embedder):
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    memory.store_ltm("PATTERN", "big", {"text": "bakers lead"})
    memory.store_ltm("PATTERN", "small", {"text": "minnows follow"})
    memory.store_ltm("PATTERN", "rain", {"text": "weather matters"})
    return memory


def names(found):
    return [one["memory"]["pattern_id"] for one in found]


def test_a_paraphrase_without_a_common_word_is_found(memory, embedder):
    first, *others = memory.recall("bread makers", explain=True)
    assert first["memory"]["pattern_id"] == "big"
    assert (first["why"]["text"], first["why"]["meaning"]) == (0.0, pytest.approx(1, abs=1e-3))
    assert first["score"] == pytest.approx(0.5 + first["why"]["similarity"])
    assert {round(one["why"]["meaning"], 2) for one in others} == {0.01}
    assert names(memory.recall("fish", weights={"meaning": 0}, top_k=1)) == ["big"]  # by time and id


def test_vectors_are_stored_with_memories_and_read_by_another_process(memory, stores, clock, embedder):
    indexes_of(stores.memories)._kept.clear()  # as in a new process
    embedder.texts.clear()
    again = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    assert names(again.recall("small fish"))[0] == "small"
    assert embedder.texts == ["small fish"]
    assert "embedding" not in again.retrieve_ltm("PATTERN")[0]


def test_a_changed_memory_has_the_vector_of_its_new_text(memory):
    memory.recall("bread makers")
    memory.store_ltm("PATTERN", "rain", {"text": "bakers after all, bakers"})
    memory.store_ltm("PATTERN", "big", {"text": "weather instead"})
    assert names(memory.recall("bread makers"))[0] == "rain"
    memory.quarantine("rain", "wrong")
    assert "rain" not in names(memory.recall("bread makers"))


def test_what_has_no_vector_is_embedded_when_it_is_recalled(stores, clock, embedder):
    MemoryManager("hunter", stores=stores, clock=clock).sync.store_ltm("PATTERN", "old", {"text": "bakers lead"})
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync
    logger.log_decision("TRADE", {"note": "bakers bought"}, {})
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    found = memory.recall("bread makers", explain=True)
    assert {one["kind"] for one in found if one["why"]["meaning"] > 0.9} == {"PATTERN", "TRADE"}
    embedder.texts.clear()
    memory.recall("bread makers")
    assert embedder.texts == ["bread makers"]


def raise_too_long():
    raise ValueError("too long")


@pytest.mark.parametrize("answer", [raise_too_long, lambda: [0.0] * 4, lambda: [float("nan")] * 4, lambda: [1.0] * 3])
def test_one_text_that_fails_takes_meaning_from_no_other(stores, clock, answer, monkeypatch):
    plain = MemoryManager("hunter", stores=stores, clock=clock).sync
    for n in range(6):
        plain.store_ltm("PATTERN", f"p{n}", {"text": "bad text" if n in (2, 5) else f"bakers lead {n}"})
    embedder = Picky(answer, most=4)
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    for _ in range(2):
        found = memory.recall("bread makers", explain=True, top_k=10)
        assert {one["memory"]["pattern_id"] for one in found if one["why"]["meaning"] > 0.9} == {"p0", "p1", "p3", "p4"}
        (missing,) = found.missing
        assert (missing["id"], missing["reason"]) == ("embeddings", "unavailable")
        assert missing["why"].startswith("2 entries have no embedding, and are ranked by words: ")
    embedder.calls = 0
    memory.recall("bread makers")
    assert embedder.calls == 2  # the query, and one more attempt
    embedder.answer = lambda: [1.0] * 4
    assert memory.recall("bread makers").complete


def test_vectors_of_another_length_are_made_again(memory, embedder):
    assert memory.recall("bread makers").complete
    embedder.embed = lambda texts: [[1.0, float("bakers" in text or "bread" in text)] for text in texts]
    found = memory.recall("bread makers", explain=True)
    assert (names(found)[0], found.complete) == ("big", True)
    assert [one["why"]["meaning"] > 0.5 for one in found] == [True] * 3


def test_a_text_is_embedded_once_for_all_filters_and_times(stores, clock, embedder, monkeypatch):
    monkeypatch.setattr("agent_memory.memory.meaning.MAX_EMBEDDED", 2)
    plain = MemoryManager("hunter", stores=stores, clock=clock).sync
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync
    for n in range(4):
        plain.store_ltm("PATTERN", f"p{n}", {"text": f"bakers lead {n}"})
        logger.log_decision("TRADE", {"note": f"bakers bought {n}", "symbol": "SPY"}, {})
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    assert [memory.recall("bread", as_of=to_iso(clock.now_ms() + n)).complete for n in range(4)] == [False] * 3 + [True]
    embedder.texts.clear()
    for filters in ({}, {"symbol": "SPY"}, {"kind": "TRADE"}, {"as_of": to_iso(clock.now_ms() + 9)}):
        assert memory.recall("bread", **filters).complete
    assert embedder.texts == ["bread"] * 4


def test_pages_do_not_lose_what_is_embedded_meanwhile(stores, clock, embedder, monkeypatch):
    monkeypatch.setattr("agent_memory.memory.meaning.MAX_EMBEDDED", 2)
    plain = MemoryManager("hunter", stores=stores, clock=clock).sync
    for n in range(7):
        plain.store_ltm("PATTERN", f"p{n}", {"text": f"bakers lead {n}" if n < 4 else f"minnows {n}"})
        clock.advance(1_000)
    for as_of in (None, to_iso(clock.now_ms())):
        indexes_of(stores.memories)._kept.clear()
        indexes_of(stores.decisions).embedded = EmbeddedTexts()
        memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
        found, cursor = [], None
        while not found or cursor is not None:
            page = memory.recall("bread makers", top_k=1, cursor=cursor, as_of=as_of)
            assert "5 entries have no embedding yet" in page.missing[0]["why"]
            found, cursor = [*found, *names(page)], page.cursor
        assert sorted(found) == [f"p{n}" for n in range(7)]


def test_others_are_ranked_while_an_embedder_works(stores, clock, embedder):
    plain = MemoryManager("hunter", stores=stores, clock=clock).sync
    plain.store_ltm("PATTERN", "big", {"text": "bakers lead"})
    working, may_end = threading.Event(), threading.Event()

    def embed(texts):
        if texts != ["bread makers"]:
            working.set()
            assert may_end.wait(60)
        return Concepts().embed(texts)

    embedder.embed = embed
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    answers = []
    first = threading.Thread(target=lambda: answers.append(memory.recall("bread makers", explain=True)))
    first.start()
    assert working.wait(60)
    plain.store_ltm("PATTERN", "small", {"text": "minnows"})
    other = threading.Thread(target=lambda: answers.append(plain.recall("bakers")))
    other.start()
    other.join(10)
    assert [names(one) for one in answers] == [["big", "small"]]
    may_end.set()
    first.join(60)
    assert {one["memory"]["pattern_id"]: one["why"]["meaning"] > 0.9 for one in answers[1]} == {
        "big": True,
        "small": False,  # stored after the texts to embed were chosen
    }


@pytest.mark.parametrize(
    "broken", [Failing(), Nameless(), replace, lambda _: [], lambda texts: [[float("nan")]] * len(texts)]
)
def test_a_failing_embedder_degrades_to_words_and_says_so(stores, clock, broken):
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder_of(broken)), clock=clock).sync
    assert memory.store_ltm("PATTERN", "big", {"text": "bakers lead"})["version"] == 1
    memory.store_ltm("PATTERN", "small", {"text": "minnows follow"})
    found = memory.recall("minnow")
    assert (names(found)[0], found.complete) == ("small", False)
    assert [(one["id"], one["reason"]) for one in found.missing] == [("embedder", "unavailable")]
    assert "by words only" in found.missing[0]["why"]
    assert memory.recall(kind="LESSON") == []
    without = MemoryManager("hunter", stores=stores, clock=clock).sync.recall("minnow")
    assert ([one["score"] for one in without], without.complete) == ([one["score"] for one in found], True)


def test_vectors_of_another_model_are_not_compared(memory, stores, clock, embedder):
    other = Concepts()
    other.name = "other"
    other.embed = lambda texts: [[1.0, 2.0] for _ in texts]
    found = MemoryManager("hunter", stores=replace(stores, embedder=other), clock=clock).sync.recall("x", explain=True)
    assert {round(one["why"]["meaning"], 6) for one in found} == {1.0}
    assert names(memory.recall("bread makers"))[0] == "big"


def test_more_entries_than_one_recall_embeds_are_said_to_be_ranked_by_words(stores, clock, embedder, monkeypatch):
    monkeypatch.setattr("agent_memory.memory.meaning.MAX_EMBEDDED", 2)
    plain = MemoryManager("hunter", stores=stores, clock=clock).sync
    for name in ("a", "b", "c"):
        plain.store_ltm("PATTERN", name, {"text": f"bakers lead {name}"})
    plain.store_ltm("PATTERN", "figures", {"at": "2026-11-29 07:38", "price": "91.5"})
    memory = MemoryManager("hunter", stores=replace(stores, embedder=embedder), clock=clock).sync
    first = memory.recall("bread makers", explain=True)
    assert [(one["id"], one["reason"]) for one in first.missing] == [("embeddings", "limit")]
    assert "1 entries have no embedding yet" in first.missing[0]["why"]
    second = memory.recall("bread makers", explain=True)
    assert second.complete
    assert sum(one["why"]["meaning"] > 0.9 for one in second) == 3
    assert not any("07:38" in one for one in embedder.texts)
