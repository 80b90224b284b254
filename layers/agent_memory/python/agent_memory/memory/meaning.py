"""The meaning of entries and queries: vectors that an embedder makes of their texts.

A memory's vector is stored with it. What has none of the embedder's, such as a decision or an older memory, is embedded
when it is recalled, `MAX_EMBEDDED` texts per recall, the newest first, and kept in the process. An embedder that fails
is no error: entries are then ranked by words, and the answer says so.
"""

import logging
from array import array
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from agent_memory.memory.entry_index import Entry, EntryIndex
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
    """
    strings: list[str] = []
    pending: list[Any] = [data]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            strings.append(one)
        elif isinstance(one, Mapping):
            pending += reversed(list(one.values()))
        elif isinstance(one, list | tuple):
            pending += reversed(one)
    longest = max(map(len, strings), default=0)
    labels = [one for one in strings if len(one) < min(longest, _SENTENCE)]
    sentences = [one for one in strings if len(one) >= min(longest, _SENTENCE)]
    return ": ".join(filter(None, [", ".join(labels), " ".join(sentences)]))[:MAX_CHARACTERS]


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
    return encoded(embedder.name, vector)


def embed(embedder: Embedder, texts: Sequence[str]) -> "list[array[float]]":
    """The vectors of texts, of length 1.

    Raises:
        EmbedderFailed: says why.
    """
    try:
        vectors = [unit_vector(one) for one in embedder.embed(list(texts))]
    except Exception as error:  # an embedder may raise anything
        raise EmbedderFailed(f"{embedder.name}: {error!r:.200}") from error
    if len(vectors) != len(texts):
        raise EmbedderFailed(f"{embedder.name}: {len(vectors)} vectors for {len(texts)} texts")
    return vectors


def add_vectors(indexes: Sequence[EntryIndex], embedder: Embedder) -> int:
    """Give entries without a vector of this embedder theirs; returns how many remain without."""
    waiting: list[tuple[EntryIndex, int, Entry]] = []
    for index in indexes:
        vectors = index.vectors(embedder.name)
        if len(vectors) == len(index):
            continue
        for number, entry in index.numbered():
            if number in vectors:
                continue
            stored = decoded(entry.payload.embedding, embedder.name) if isinstance(entry.payload, Memory) else None
            if stored is None:
                waiting.append((index, number, entry))
            else:
                vectors.put(number, stored)
    waiting.sort(key=lambda one: one[2].timestamp, reverse=True)
    texts = ((index, number, text) for index, number, entry in waiting if (text := _text_of(entry.payload).strip()))
    now = list(islice(texts, MAX_EMBEDDED))
    if now:
        for (index, number, _), vector in zip(now, embed(embedder, [text for _, _, text in now]), strict=True):
            index.vectors(embedder.name).put(number, vector)
    return len(waiting) - len(now)


def _text_of(payload: Memory | Decision) -> str:
    if isinstance(payload, Memory):
        return embedded_text(payload.data)
    return embedded_text({"context": payload.context, "reasoning": payload.reasoning})
