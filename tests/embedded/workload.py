"""What the writers write, and whether all of it is in a file."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent_memory.core.clock import END_OF_TIME_MS, Span
from agent_memory.core.ids import decision_id_for
from agent_memory.ports.decisions import Selection
from agent_memory.storage.factory import sqlite_stores

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAYLOAD = {"why": "w" * 200}


def decision(writer: str, number: int) -> dict:
    """A decision whose id follows from its writer and number, so that writing it again changes nothing."""
    at = START + timedelta(milliseconds=number)
    return {
        "decision_id": decision_id_for("QUERY", at, f"{writer}/{number}"),
        "decision_type": "QUERY",
        "timestamp": at,
        "context": {"market": {"trend": ("up", "down")[number % 2]}, "writer": writer, "number": number},
        "reasoning": PAYLOAD,
    }


def outcome(writer: str, number: int) -> dict:
    """The outcome of a decision."""
    one = decision(writer, number)
    at = one["timestamp"] + timedelta(minutes=1)
    return {
        "decision_id": one["decision_id"],
        "outcome": {"number": number},
        "success": number % 3 == 0,
        "timestamp": at,
    }


@dataclass(frozen=True)
class Stored:
    """What a file has of one agent."""

    decisions: list[tuple[str, int]]
    with_outcome: set[tuple[str, int]]
    is_intact: bool


def stored(path: Path, agent: str) -> Stored:
    """Read a file completely."""
    stores = sqlite_stores(path)
    found = list(stores.decisions.scan(Selection(agent, "QUERY"), Span(0, END_OF_TIME_MS), newest_first=False))
    names = [(one.context["writer"], one.context["number"]) for one in found]
    by_outcome = {
        one.decision_id
        for success in (True, False)
        for one in stores.decisions.scan(Selection(agent, "QUERY", success=success), Span(0, END_OF_TIME_MS))
    }
    assert by_outcome == {one.decision_id for one in found if one.outcome is not None}
    connection = sqlite3.connect(path)
    (check,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    with_outcome = {name for name, one in zip(names, found, strict=True) if one.outcome is not None}
    return Stored(names, with_outcome, check == "ok")
