"""The formula of recall in plain Python, as a reference."""

import math
from collections import Counter


def words(text):
    """Stems as those of the texts in the tests, which have no stop words."""
    return [{"squeeze": "squeez"}.get(word, word) for word in text.lower().split()]


def bm25(word, text_words, texts, k1=0.9, b=0.3):
    count = Counter(text_words)[word]
    if not count:
        return 0.0
    holding = sum(word in words for words in texts)
    idf = math.log1p((len(texts) - holding + 0.5) / (holding + 0.5))
    mean = sum(map(len, texts)) / len(texts)
    return idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(text_words) / mean))


def recall(entries, query, *, now, half_lives, default, weigh, kind=None, top_k=5):
    """Ids and scores of the best entries."""
    texts = [words(entry.text) for entry in entries]
    scored = []
    for entry, text_words in zip(entries, texts, strict=True):
        if kind is not None and entry.kind != kind:
            continue
        age = max(0.0, now - entry.timestamp)
        decay = 0.5 ** (age / half_lives.get(entry.kind, default))
        similarity = sum(weigh(word, text_words, texts) for word in dict.fromkeys(words(query)))
        scored.append((entry.importance * decay + similarity, entry))
    scored.sort(key=lambda one: (-one[0], -one[1].timestamp, one[1].id))
    return [(entry.id, score) for score, entry in scored[:top_k] if score > 0]
