"""What an import has done, or would do."""

from collections import Counter
from enum import StrEnum, auto
from typing import Any

from agent_memory.model.listings import missing_item, named


class Status(StrEnum):
    """What becomes of one exported item."""

    CREATED = auto()
    UPDATED = auto()
    UNCHANGED = auto()
    NEWER = auto()
    CONFLICT = "conflicts"
    ARCHIVED = "in_archive"
    EXPIRED = auto()


class ImportReport:
    """Counts by kind of data and status, the conflicts, and what an import cannot write."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Status]] = {}
        self._conflicts: list[dict[str, Any]] = []
        self._not_imported: list[dict[str, Any]] = []

    def count(self, kind: str, status: Status) -> None:
        """Count an item of a kind of data, as `decisions`."""
        self._counts.setdefault(kind, Counter())[status] += 1

    def conflict(self, kind: str, item_id: str, why: str) -> None:
        """Count and name an item that contradicts what is stored."""
        self.count(kind, Status.CONFLICT)
        self._conflicts.append(missing_item(f"{kind}: {item_id}", "conflict", why))

    def not_imported(self, item_id: str, why: str) -> None:
        """Name something that is not written, and the reason."""
        self._not_imported.append(missing_item(item_id, "not_imported", why))

    def as_dict(self) -> dict[str, Any]:
        """`counts` by kind and status, `conflicts` and `not_imported`, each item with `id`, `reason` and `why`."""
        return {
            "counts": {
                kind: {str(one): number for one, number in found.items()} for kind, found in self._counts.items()
            },
            "conflicts": named(self._conflicts),
            "not_imported": named(self._not_imported),
        }
