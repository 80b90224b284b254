"""Named states of an agent."""

from dataclasses import dataclass
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.core.json_values import Document


@dataclass(frozen=True, slots=True)
class State:
    """One version of a named state of an agent."""

    data: Document
    version: int
    updated_ms: int

    def as_dict(self) -> dict[str, Any]:
        """The state as in the APIs: `data`, `version` and `updated_at`."""
        return {"data": dict(self.data), "version": self.version, "updated_at": to_iso(self.updated_ms)}
