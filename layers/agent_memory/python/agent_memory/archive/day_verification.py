"""Checks the file of one archived day against its manifest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import pairwise
from typing import Any

from agent_memory.model.seals import ROW_HASH, Manifest, is_short_hash, root_hash, row_hash
from agent_memory.ports.archive import DayFile, FileRows


class FindingKind(StrEnum):
    """The kinds of differences that verification finds.

    The first five concern the archive, the next two the decisions in the table, the last three the chain of seals.
    """

    CHANGED = auto()
    REMOVED = auto()
    ADDED = auto()
    REORDERED = auto()
    MISSING_MANIFEST = auto()
    DAMAGED = auto()
    CONTRADICTED = auto()
    BROKEN_LINK = auto()
    ROLLED_BACK = auto()
    UNFINISHED = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """One difference between a day and its seal; `decision_id` is None if no decision can be named."""

    kind: FindingKind
    message: str
    decision_id: str | None = None


def day_faults(file: DayFile | None, sealed: Manifest) -> Iterator[Fault]:
    """The differences between a day's file and its manifest."""
    if file is None:
        yield Fault(FindingKind.REMOVED, f"the file of {sealed.rows:,} decisions is missing")
    elif file.rows is None:
        yield Fault(FindingKind.CHANGED, "the file cannot be read as Parquet")
    else:
        faults = list(_row_faults(file.rows, sealed))
        if not faults and file.sha256 != sealed.file_sha256:
            faults = [Fault(FindingKind.CHANGED, "the bytes of the file differ, although its decisions are unchanged")]
        yield from faults


def _row_faults(rows: FileRows, sealed: Manifest) -> Iterator[Fault]:
    hashes: list[str] = []
    times_by_id: Counter[str] = Counter()
    changed = False
    for row in rows:
        full, decision_id = _hash_of(row), str(row["decision_id"])
        hashes.append(full)
        times_by_id[decision_id] += 1
        if not (full and is_short_hash(row[ROW_HASH], full)):
            changed = True
            yield Fault(FindingKind.CHANGED, "the decision or one of its outcomes does not match its hash", decision_id)
    repeated = [one for one, times in times_by_id.items() if times > 1]
    for one in repeated:
        yield Fault(FindingKind.ADDED, "the file contains the decision more than once", one)
    if len(rows) < sealed.rows:
        yield Fault(FindingKind.REMOVED, f"{sealed.rows - len(rows):,} of {sealed.rows:,} decisions are missing")
    if len(rows) > sealed.rows:
        yield Fault(FindingKind.ADDED, f"the file has {len(rows) - sealed.rows:,} more decisions than were sealed")
    if len(rows) != sealed.rows or changed or repeated or root_hash(hashes) == sealed.root:
        return
    out_of_order = _first_out_of_order(rows)
    if out_of_order is not None:
        yield Fault(FindingKind.REORDERED, "the decisions are not ordered by type and time", out_of_order)
    else:
        yield Fault(FindingKind.CHANGED, "a decision or an outcome was changed together with its hash")


def _first_out_of_order(rows: FileRows) -> str | None:
    """The first decision that should precede the one before it; decisions are ordered by type, time and id."""
    order = ((str(row["decision_type"]), row["timestamp_ms"] or 0, str(row["decision_id"])) for row in rows)
    return next((after[-1] for before, after in pairwise(order) if before > after), None)


def _hash_of(row: Mapping[str, Any]) -> str:
    """A row's hash; empty if it contains values that no decision has."""
    try:
        return row_hash(row)
    except (TypeError, ValueError):
        return ""
