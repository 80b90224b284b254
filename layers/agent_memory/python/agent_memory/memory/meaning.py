"""The meaning of entries and queries: vectors that an embedder makes of their texts.

A memory's vector is stored with it. What has none of the embedder's, such as a decision or an older memory, is embedded
when it is recalled, `MAX_EMBEDDED` texts per recall, the newest first, and kept in the process. An embedder that fails
is no error: entries are then ranked by words, and the answer says so.
"""

import logging
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.memory.entry_index import Entry, EntryIndex
from agent_memory.memory.glossary import trading_glossary
from agent_memory.memory.vectors import Vectors
from agent_memory.model.decisions import Decision
from agent_memory.model.embeddings import decoded, encoded, unit_vector
from agent_memory.model.memories import Memory
from agent_memory.ports.embedder import Embedder

MAX_EMBEDDED = 64
MAX_CHARACTERS = 8_000
"""The length of the text that is embedded; models read no more."""

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
        (vector,) = embed(embedder, [text])
    except EmbedderFailed as error:
        _logger.warning("a memory is stored without an embedding: %s", error)
        return None
    return encoded(vector_model(embedder), vector)


def vector_model(embedder: Embedder) -> str:
    """What vectors depend on: the embedder, and the glossary. Vectors of different models are never compared."""
    return f"{embedder.name}+glossary-{trading_glossary().version}"


def embed(embedder: Embedder, texts: Sequence[str]) -> "list[array[float]]":
    """The vectors of texts, of length 1. The terms of trading in them are explained, which general models do not know.

    Raises:
        EmbedderFailed: says why.
    """
    explained = trading_glossary().explained
    try:
        vectors = [unit_vector(one) for one in embedder.embed([explained(one) for one in texts])]
    except Exception as error:  # an embedder may raise anything
        raise EmbedderFailed(f"{embedder.name}: {error!r:.200}") from error
    if len(vectors) != len(texts):
        raise EmbedderFailed(f"{embedder.name}: {len(vectors)} vectors for {len(texts)} texts")
    return vectors


def add_vectors(indexes: Sequence[EntryIndex], embedder: Embedder) -> int:
    """Give entries without a vector of this embedder theirs; returns how many that have a text remain without."""
    model = vector_model(embedder)
    waiting: list[tuple[Entry, Vectors, int, str]] = []
    for index in indexes:
        vectors = index.vectors(model)
        if len(vectors) < len(index):
            waiting += [
                (entry, vectors, number, text)
                for number, entry in index.numbered()
                if number not in vectors and (text := _put_stored(vectors, number, entry, model))
            ]
    waiting.sort(key=lambda one: one[0].timestamp, reverse=True)
    now = waiting[:MAX_EMBEDDED]
    if now:
        for (_, vectors, number, _), vector in zip(now, embed(embedder, [text for *_, text in now]), strict=True):
            vectors.put(number, vector)
    return len(waiting) - len(now)


def _put_stored(vectors: Vectors, number: int, entry: Entry, model: str) -> str:
    """Put the vector that is stored with an entry, or none for one without text; else return what to embed."""
    stored = decoded(entry.payload.embedding, model) if isinstance(entry.payload, Memory) else None
    text = "" if stored is not None else _text_of(entry.payload).strip()
    if not text:
        vectors.put(number, stored)
    return text


def _text_of(payload: Memory | Decision) -> str:
    if isinstance(payload, Memory):
        return embedded_text(payload.data)
    return embedded_text({"context": payload.context, "reasoning": payload.reasoning})
