"""Compares an agent in two places by count and hash, day by day."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_memory.admin.agent_source import AgentSource
from agent_memory.admin.export_rows import decision_row, memory_row, state_row
from agent_memory.core.clock import date_of
from agent_memory.core.json_values import canonical_json

_DAY_IN_KEY = re.compile(r"/date=(\d{4}-\d{2}-\d{2})/")
_WITHOUT_DAY = "none"
_DERIVED = "ancestors"
"""Follows from the parents of decisions, and is not kept in the archive."""


@dataclass(frozen=True, slots=True)
class Digest:
    """How many items there are, and a SHA-256 of them, whatever their order."""

    count: int
    sha256: str


Digests = Mapping[tuple[str, str], Digest]
"""Digests by kind (`decisions`, `memories`, `states`, `objects`) and UTC day, `none` where items have none."""


def digests_of(agent: AgentSource) -> Digests:
    """The digests of everything that an agent has, but short-term memory, which expires.

    Decisions are counted on the day on which they were made, versions of memories and states on the day on which they
    were written, objects on the day in their key.
    """
    found: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for kind, day, content in _items(agent):
        found[kind, day].append(hashlib.sha256(content).digest())
    return {
        place: Digest(len(hashes), hashlib.sha256(b"".join(sorted(hashes))).hexdigest())
        for place, hashes in found.items()
    }


def differences(first: Digests, second: Digests) -> list[dict[str, Any]]:
    """The kinds and days that differ, sorted: `kind`, `day`, and `source` and `target` with the count of each."""
    nothing = Digest(0, "")
    return [
        {
            "kind": kind,
            "day": day,
            "source": first.get((kind, day), nothing).count,
            "target": second.get((kind, day), nothing).count,
        }
        for kind, day in sorted({*first, *second})
        if first.get((kind, day)) != second.get((kind, day))
    ]


def totals(digests: Digests) -> dict[str, dict[str, Any]]:
    """By kind: the number of items and days, and one hash of all days."""
    found: dict[str, dict[str, Any]] = {}
    for kind in sorted({one for one, _ in digests}):
        days = sorted((day, digest) for (one, day), digest in digests.items() if one == kind)
        text = canonical_json([[day, digest.sha256] for day, digest in days])
        found[kind] = {
            "items": sum(digest.count for _, digest in days),
            "days": len(days),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
    return found


def _items(agent: AgentSource) -> Iterator[tuple[str, str, bytes]]:
    for decision in agent.decisions():
        row = {name: value for name, value in decision_row(decision).items() if name != _DERIVED}
        yield "decisions", date_of(decision.timestamp_ms).isoformat(), _text(row)
    for memory in agent.memories():
        yield "memories", date_of(memory.updated_ms).isoformat(), _text(memory_row(memory))
    for name, state in agent.states():
        yield "states", date_of(state.updated_ms).isoformat(), _text(state_row(name, state))
    for key in agent.object_keys():
        found = _DAY_IN_KEY.search(key)
        body = hashlib.sha256(agent.read_object(key)).hexdigest()
        yield "objects", found[1] if found else _WITHOUT_DAY, f"{key} {body}".encode()


def _text(row: Mapping[str, Any]) -> bytes:
    return canonical_json(row).encode("utf-8", "surrogatepass")
