"""The meaning of entries and queries: vectors that an embedder makes of their texts.

A memory's vector is stored with it. What has none of the embedder's, such as a decision or an older memory, is embedded
when it is recalled, `MAX_EMBEDDED` texts per recall, the newest first, and kept in the process by its text, so that it
is embedded once for all filters and times. An embedder that fails is no error: what it fails for, the query or single
entries, is ranked by words, and the answer says so.
"""

import logging
import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.memory.embedded_texts import EmbeddedTexts
from agent_memory.memory.entry_index import Entry
from agent_memory.memory.glossary import trading_glossary
from agent_memory.memory.recall_indexes import KeptIndex, locked
from agent_memory.memory.vectors import Vectors
from agent_memory.model.decisions import Decision
from agent_memory.model.embeddings import decoded, encoded, unit_vector
from agent_memory.model.memories import Memory
from agent_memory.ports.embedder import Embedder

MAX_EMBEDDED = 64
MAX_CHARACTERS = 8_000
"""The length of the text that is embedded; models read no more."""

_MAX_NAME = 200
_MAX_FAILURES = 16
_MAX_SECONDS_OF_HALVES = 2.0

_logger = logging.getLogger(__name__)
_SENTENCE = 40
"""The length from which a string is taken for a sentence, unless all are shorter."""


class EmbedderFailed(Exception):
    """The embedder raised an error, or returned something else than a vector for each text."""


def embedded_text(data: Mapping[str, Any]) -> str:
    """The strings of JSON objects that are embedded: their values, as `BTC-USD, bullish: whales lead pumps`.

    Short ones, such as a symbol or a speaker, come before the sentences, where models take them for their subject.
    Those that consist of figures, such as a time or a price, are left out: they move a vector, and mean nothing to it.
    """
    strings: list[str] = []
    pending: list[Any] = [data]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            strings += [one] if _is_worded(one) else []
        elif isinstance(one, Mapping):
            pending += reversed(list(one.values()))
        elif isinstance(one, list | tuple):
            pending += reversed(one)
    longest = max(map(len, strings), default=0)
    labels = [one for one in strings if len(one) < min(longest, _SENTENCE)]
    sentences = [one for one in strings if len(one) >= min(longest, _SENTENCE)]
    return ": ".join(filter(None, [", ".join(labels), " ".join(sentences)]))[:MAX_CHARACTERS]


def _is_worded(text: str) -> bool:
    """Whether a string has more than twice as many letters as digits, as `10:31 am on 13 October, 2023` has not."""
    return sum(map(str.isalpha, text)) > 2 * sum(map(str.isdigit, text))


def stored_embedding(embedder: Embedder | None, data: Mapping[str, Any]) -> str | None:
    """The vector of a memory's data, as it is stored; None without an embedder, without text, or if it fails."""
    text = embedded_text(data)
    if embedder is None or not text.strip():
        return None
    try:
        model = vector_model(embedder)
        (vector,) = embed(embedder, [text])
    except EmbedderFailed as error:
        _logger.warning("a memory is stored without an embedding: %s", error)
        return None
    return encoded(model, vector)


def vector_model(embedder: Embedder) -> str:
    """What vectors depend on: the embedder, and the glossary. Vectors of different models are never compared.

    Raises:
        EmbedderFailed: the embedder has no name that could be stored.
    """
    return f"{_name_of(embedder)}+glossary-{trading_glossary().version}"


def _name_of(embedder: Embedder) -> str:
    try:
        name = embedder.name
    except Exception as error:  # an embedder may raise anything
        raise EmbedderFailed(f"{type(embedder).__name__} has no name: {error!r:.200}") from error
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
        raise EmbedderFailed(f"{type(embedder).__name__}: its name is not a text of 1 to {_MAX_NAME} characters")
    return name


def embed(embedder: Embedder, texts: Sequence[str]) -> "list[array[float]]":
    """The vectors of texts, of length 1. The terms of trading in them are explained, which general models do not know.

    Raises:
        EmbedderFailed: says why.
    """
    answers = _answers(embedder, texts)
    try:
        return [unit_vector(one) for one in answers]
    except Exception as error:  # what is no vector may raise anything
        raise EmbedderFailed(f"{_name_of(embedder)}: {error!r:.200}") from error


def _answers(embedder: Embedder, texts: Sequence[str]) -> list[Any]:
    """What an embedder returns for each text, which need not be vectors."""
    name, explained = _name_of(embedder), trading_glossary().explained
    try:
        answers = list(embedder.embed([explained(one) for one in texts]))
    except Exception as error:  # an embedder may raise anything
        raise EmbedderFailed(f"{name}: {error!r:.200}") from error
    if len(answers) != len(texts):
        raise EmbedderFailed(f"{name}: {len(answers)} vectors for {len(texts)} texts")
    return answers


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """What vectors have in common that may be compared: the model, and the number of dimensions."""

    model: str
    dimensions: int

    @property
    def name(self) -> str:
        """The space in one word."""
        return f"{self.model}/{self.dimensions}"


@dataclass(frozen=True, slots=True)
class Unembedded:
    """How many entries that have a text remain without a vector.

    Attributes:
        waiting: those that later recalls embed.
        failed: those for which the embedder failed.
        error: why it did.
    """

    waiting: int = 0
    failed: int = 0
    error: EmbedderFailed | None = None


def add_vectors(
    indexes: Sequence[KeptIndex],
    embedder: Embedder,
    space: VectorSpace,
    known: EmbeddedTexts,
    *,
    is_first_page: bool = True,
) -> Unembedded:
    """Give entries without a vector of this space theirs, the newest first; returns how many remain without.

    For a later page of a ranking, only indexes are embedded that have no vector yet, as in a new process: entries whose
    scores rise between two pages would be on neither.

    A text for which the embedder has failed comes after all others, and then one at a time. The indexes are not locked
    while the embedder works, so that others can be ranked meanwhile.
    """
    waiting: list[tuple[KeptIndex, Entry, str]] = []
    open_indexes: list[KeptIndex] = []
    with locked(indexes):
        for kept in indexes:
            vectors = kept.index.vectors(space.name)
            if len(vectors) < len(kept.index):
                waiting += [
                    (kept, entry, text)
                    for number, entry in kept.index.numbered()
                    if number not in vectors and (text := _put_known(vectors, number, entry, space, known))
                ]
            if is_first_page or not len(vectors):
                open_indexes.append(kept)
    newest = sorted(waiting, key=lambda one: -one[1].timestamp)
    texts = list(dict.fromkeys(text for kept, _, text in newest if kept in open_indexes))
    before = {text: attempt for text in texts if (attempt := known.refused(space.name, text))}
    due = [one for one in texts if one not in before][:MAX_EMBEDDED] or sorted(before, key=before.__getitem__)[:1]
    made, refused, error = _made(embedder, due, space)
    for text, vector in made.items():
        known.put(space.name, text, vector)
    for text in refused:
        known.refuse(space.name, text)
    with locked(indexes):
        for kept, entry, text in waiting:
            number = kept.index.number_of(entry.id)
            if text in made and number is not None and _is_waiting(kept, text, number, space):
                kept.index.vectors(space.name).put(number, made[text])
    failed = before.keys() | refused.keys() | (set(due) if error else set())
    without = [text for *_, text in waiting if text not in made]
    in_vain = sum(text in failed for text in without)
    why = error or next(iter(refused.values()), None) or EmbedderFailed("the embedder has failed for them before")
    return Unembedded(len(without) - in_vain, in_vain, why if in_vain else None)


def _is_waiting(kept: KeptIndex, text: str, number: int, space: VectorSpace) -> bool:
    """Whether an index still has an entry with this text, under a number, and no vector of it."""
    current = kept.index.entries[number]
    return (
        current is not None
        and number not in kept.index.vectors(space.name)
        and _text_of(current.payload).strip() == text
    )


def _put_known(vectors: Vectors, number: int, entry: Entry, space: VectorSpace, known: EmbeddedTexts) -> str:
    """Put the vector of an entry that is stored or known, or none for one without text; else return what to embed."""
    stored = decoded(entry.payload.embedding, space.model) if isinstance(entry.payload, Memory) else None
    if stored is not None and len(stored) == space.dimensions:
        vectors.put(number, stored)
        return ""
    text = _text_of(entry.payload).strip()
    vector = known.get(space.name, text) if text else None
    if vector is not None or not text:
        vectors.put(number, vector)
        return ""
    return text


def _made(
    embedder: Embedder, texts: Sequence[str], space: VectorSpace
) -> "tuple[dict[str, array[float]], dict[str, EmbedderFailed], EmbedderFailed | None]":
    """The vectors of texts, why the embedder makes none of single ones, and why it was not asked for others any more.

    What fails together is tried in halves, until too much has failed or too much time has passed.
    """
    made: dict[str, array[float]] = {}
    refused: dict[str, EmbedderFailed] = {}
    pending, failures, until = [texts] if texts else [], 0, time.monotonic() + _MAX_SECONDS_OF_HALVES
    while pending:
        some = pending.pop()
        try:
            answers = _answers(embedder, some)
        except EmbedderFailed as error:
            failures += 1
            if len(some) == 1:
                refused[some[0]] = error
            if failures == _MAX_FAILURES or time.monotonic() > until:
                return made, refused, error
            if len(some) > 1:
                half = len(some) // 2
                pending += [some[half:], some[:half]]
            continue
        for text, answer in zip(some, answers, strict=True):
            try:
                made[text] = _vector_in(answer, space)
            except Exception as error:  # what is no vector may raise anything
                refused[text] = EmbedderFailed(f"{space.model}: {error!r:.200}")
    return made, refused, None


def _vector_in(answer: Any, space: VectorSpace) -> "array[float]":
    vector = unit_vector(answer)
    if len(vector) != space.dimensions:
        raise InvalidInput("embedder", f"{len(vector)} dimensions, and {space.dimensions} for the query")
    return vector


def _text_of(payload: Memory | Decision) -> str:
    if isinstance(payload, Memory):
        return embedded_text(payload.data)
    return embedded_text({"context": payload.context, "reasoning": payload.reasoning})
