"""Checks the file of one archived day against its manifest."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from agent_memory.model.seals import ROW_HASH, Manifest, root_hash, row_hash, short_hash
from agent_memory.ports.archive import DayFile


class FindingKind(StrEnum):
    """What may be found. The last two are of chains, the others of decisions with their outcomes, and of days."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    REORDERED = "reordered"
    MISSING_MANIFEST = "missing_manifest"
    BROKEN_LINK = "broken_link"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing about a day that is not as it was sealed; `decision_id` is None where no decision can be named."""

    kind: FindingKind
    message: str
    decision_id: str | None = None


def day_faults(file: DayFile | None, sealed: Manifest) -> Iterator[Fault]:
    """What is wrong with the file of a day; nothing where it is as it was sealed."""
    if file is None:
        yield Fault(FindingKind.REMOVED, f"the file of {sealed.rows:,} decisions is not there")
    elif file.rows is None:
        yield Fault(FindingKind.CHANGED, "the file cannot be read as Parquet")
    else:
        found = list(_row_faults(file.rows, sealed))
        if not found and file.sha256 != sealed.file_sha256:
            found = [
                Fault(FindingKind.CHANGED, "the file's bytes are others, though every decision is as it was sealed")
            ]
        yield from found


def _row_faults(rows: Sequence[Mapping[str, Any]], sealed: Manifest) -> Iterator[Fault]:
    hashes = [_hash_of(row) for row in rows]
    changed = [row for row, found in zip(rows, hashes, strict=True) if not found or row[ROW_HASH] != short_hash(found)]
    for row in changed:
        yield Fault(
            FindingKind.CHANGED, "the decision or an outcome of it is not what its hash says", _text(row["decision_id"])
        )
    repeated = [one for one, times in Counter(_text(row["decision_id"]) for row in rows).items() if times > 1]
    for one in repeated:
        yield Fault(FindingKind.ADDED, "the decision stands here more than once", one)
    if len(rows) < sealed.rows:
        yield Fault(FindingKind.REMOVED, f"{sealed.rows - len(rows):,} of {sealed.rows:,} decisions are not there")
    if len(rows) > sealed.rows:
        yield Fault(FindingKind.ADDED, f"there are {len(rows) - sealed.rows:,} decisions more than were sealed")
    if len(rows) != sealed.rows or changed or repeated or root_hash(hashes) == sealed.root:
        return
    out_of_order = _first_out_of_order(rows)
    if out_of_order is not None:
        yield Fault(FindingKind.REORDERED, "decisions do not stand in the order of types and times", out_of_order)
    else:
        yield Fault(FindingKind.CHANGED, "a decision or an outcome was changed together with its hash")


def _first_out_of_order(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The first decision that stands after a later one of its type, or after one of a later type."""
    places = [(_text(row["decision_type"]), row["timestamp_ms"] or 0, _text(row["decision_id"])) for row in rows]
    return next((after[-1] for before, after in pairwise(places) if before > after), None)


def _hash_of(row: Mapping[str, Any]) -> str:
    """A row's hash, or nothing where it holds what no decision holds."""
    try:
        return row_hash(row)
    except (TypeError, ValueError):
        return ""


def _text(value: Any) -> str:
    return str(value)
