"""The formula of recall in plain Python, as a reference."""

import math
from collections import Counter


def bm25(word, text_words, texts, k1=1.2, b=0.75):
    count = Counter(text_words)[word]
    if not count:
        return 0.0
    holding = sum(word in words for words in texts)
    idf = math.log1p((len(texts) - holding + 0.5) / (holding + 0.5))
    mean = sum(map(len, texts)) / len(texts)
    return idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(text_words) / mean))


def recall(entries, query, *, now, half_lives, default, weigh, kind=None, symbol=None, top_k=5):
    """Ids and scores of the best entries."""
    texts = [entry.text.lower().split() for entry in entries]
    scored = []
    for entry, text_words in zip(entries, texts, strict=True):
        if (kind is not None and entry.kind != kind) or (symbol is not None and entry.symbol != symbol):
            continue
        age = max(0.0, now - entry.timestamp)
        decay = 0.5 ** (age / half_lives.get(entry.kind, default))
        similarity = sum(weigh(word, text_words, texts) for word in dict.fromkeys(query.lower().split()))
        scored.append((entry.importance * decay + similarity, entry))
    scored.sort(key=lambda one: (-one[0], -one[1].timestamp, one[1].id))
    return [(entry.id, score) for score, entry in scored[:top_k] if score > 0]
