"""Recall that ranks: importance that fades with time, and likeness to what is asked."""

from agent_memory.recall.index import Entry, Recalled, RecallIndex
from agent_memory.recall.similarity import BM25, Embedder, Similarity, WordOverlap, words_of

__all__ = ["BM25", "Embedder", "Entry", "RecallIndex", "Recalled", "Similarity", "WordOverlap", "words_of"]
