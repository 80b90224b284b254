"""Long-term memories."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.core.json_values import Document


class MemoryType(StrEnum):
    """The types of long-term memory; teams add their own."""

    PATTERN = "PATTERN"
    """A combination of facts under which decisions succeed more, or less, often."""
    STRATEGY = "STRATEGY"
    """How decisions of a strategy do."""
    ARCHETYPE = "ARCHETYPE"
    """How decisions do in a market condition."""
    SOURCE_PERFORMANCE = "SOURCE_PERFORMANCE"
    """How decisions that rest on a source do."""
    ESTIMATE = "ESTIMATE"
    """What to expect of each option of a choice, in each context."""
    EXPERIMENT = "EXPERIMENT"
    """What an experiment that withholds memory has shown."""
    CONFIGURATION = "CONFIGURATION"
    """The configurations that an agent has had."""


MAX_REASON = 500
"""How many characters the reason of a change may have."""
STANDARD_TYPES = frozenset(map(str, MemoryType))
"""The types that are named in this package."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One version of a long-term memory. `confidence` is between 0 and 1, None if it is not stated.

    `changed_by` and `reason` say who made this version and why; `changed_as` is the IAM principal of the HTTP request,
    None for a direct write. A version that records a removal (`is_removed`) is stored in the history only.
    `embedding` is a vector of its text (`model.embeddings`) and `words` are its words (`memory.text_words`); neither is
    part of the content.
    `access_count` and `last_accessed_ms` are updated by the nightly job and are not part of a version.
    """

    agent_id: str
    memory_type: str
    pattern_id: str
    confidence: float | None
    data: Document
    learned_ms: int
    updated_ms: int
    version: int
    changed_by: str | None = None
    reason: str | None = None
    changed_as: str | None = None
    is_removed: bool = False
    access_count: int = field(default=0, compare=False)
    last_accessed_ms: int | None = field(default=None, compare=False)
    embedding: str | None = field(default=None, compare=False)
    words: str | None = field(default=None, compare=False)

    @property
    def rank(self) -> float:
        """The order by confidence: a memory that does not state one comes after all others."""
        return -1.0 if self.confidence is None else self.confidence

    @property
    def changed_by_claimed(self) -> bool:
        """Whether `changed_by` is only what the caller of the HTTP API said.

        IAM permits a request for the agent in its path. Another name, as of the agent that writes to a pool, is a claim
        of the principal in `changed_as`.
        """
        return self.changed_as is not None and self.changed_by != self.agent_id

    def removal_as_dict(self) -> dict[str, Any]:
        """What the APIs answer where this version records a removal."""
        return {
            "agent_id": self.agent_id,
            "memory_type": self.memory_type,
            "pattern_id": self.pattern_id,
            "version": self.version,
            "removed_at": to_iso(self.updated_ms),
            "changed_by": self.changed_by,
            "reason": self.reason,
        }

    def as_dict(self) -> dict[str, Any]:
        """The memory as in the APIs: the fields of its data and its own."""
        return {
            **self.data,
            "agent_id": self.agent_id,
            "pattern_id": self.pattern_id,
            "memory_type": self.memory_type,
            "confidence": self.confidence,
            "learned_at": to_iso(self.learned_ms),
            "updated_at": to_iso(self.updated_ms),
            "version": self.version,
            "changed_by": self.changed_by,
            "reason": self.reason,
            "changed_as": self.changed_as,
            "changed_by_claimed": self.changed_by_claimed,
            "access_count": self.access_count,
            "last_accessed": None if self.last_accessed_ms is None else to_iso(self.last_accessed_ms),
        }
