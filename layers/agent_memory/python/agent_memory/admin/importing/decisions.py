"""Imports decisions with their outcomes and links into the table, and lets those expire that the archive has.

the table has it                 outcomes that follow from the stored ones are written
only the archive has it          written, if it is as young as the decisions that are read from the table alone
nothing has it                   written
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice

from agent_memory.admin.importing.report import ImportReport, Status
from agent_memory.core.clock import DAY_MS, Clock, date_of
from agent_memory.core.errors import Damaged
from agent_memory.core.retention import HOT_DAYS, RESTORED_DAYS
from agent_memory.decisions.late_outcomes import LateOutcomeTracker
from agent_memory.decisions.lineage import MAX_ANCESTORS, MAX_STEPS, Ancestors, ancestors_of, links_to
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.rolled_days import ChangeTracker
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Damages, Unreadable
from agent_memory.model.outcomes import follows
from agent_memory.ports.stores import Stores

KIND = "decisions"
_BATCH = 100


class DecisionImport:
    """Imports the decisions of one agent, given in the order of their time.

    Attributes:
        days_to_archive: the days of decisions that are in the table and not, or not as they are there, in the archive.
    """

    def __init__(self, agent_id: str, stores: Stores, clock: Clock, report: ImportReport, *, write: bool) -> None:
        self._decisions = stores.decisions
        self._reader = DecisionReader(agent_id, stores, clock)
        self._changes = ChangeTracker(agent_id, stores.states, clock)
        self._late_outcomes = LateOutcomeTracker(agent_id, stores.states, clock)
        self._now_ms = clock.now_ms()
        self._report = report
        self._write = write
        self._ancestors: dict[str, Ancestors] = {}
        self.days_to_archive: set[date] = set()

    def run(self, decisions: Iterable[Decision]) -> None:
        """Import decisions. Raises `Unavailable` if a store did not respond; running it again continues."""
        remaining = iter(decisions)
        while batch := list(islice(remaining, _BATCH)):
            self._import([self._with_ancestors(one) for one in batch])

    def _import(self, exported: Sequence[Decision]) -> None:
        keys, damages = [one.key for one in exported], Damages()
        stored = self._decisions.get(keys, on_unreadable=damages)
        in_damaged_items = {one.id for one in damages.items()}
        archived = self._reader.archived(keys, on_unreadable=self._note_damaged_day)
        if self._write:
            self._changes.track(keys)
        pairs: list[tuple[Decision, Decision]] = []
        missing: list[Decision] = []
        for one, in_table in zip(exported, stored, strict=True):
            in_archive = archived.get(one.decision_id)
            if one.decision_id in in_damaged_items:
                self._report.conflict(KIND, one.decision_id, "the table has it, but its item is damaged")
            elif in_table is not None:
                pairs.append((one, in_table))
            elif in_archive is not None and not _agree(one, in_archive):
                self._report.conflict(KIND, one.decision_id, "the archive has it with other content or outcomes")
            elif in_archive is not None and follows(one, in_archive) and not self._is_read_from_table(one):
                self._report.count(KIND, Status.ARCHIVED)
            else:
                is_newer = in_archive is not None and follows(one, in_archive)
                missing.append(replace(in_archive, ancestors=one.ancestors) if in_archive and is_newer else one)
                self._report.count(KIND, Status.CREATED)
        with_outcomes = [one.key for one in missing if one.outcome is not None]
        with_outcomes += [one.key for one, in_table in pairs if one != in_table and follows(in_table, one)]

        def write() -> list[Decision]:
            kept = [self._merge(*pair) for pair in pairs]
            if self._write:
                self._decisions.restore(missing)
            return kept

        kept = self._late_outcomes.recording(with_outcomes if self._write else [], write)
        if self._write:
            self._decisions.link([link for one in exported for link in links_to(one)])
            self._changes.track(keys)
        self._let_expire([*kept, *missing], archived)

    def _note_damaged_day(self, one: Unreadable) -> None:
        """Name a decision that the archive has in a damaged file: it is imported as if it were not archived."""
        if not isinstance(one.error, Damaged):
            raise one.error
        self._report.not_imported(f"archive of {one.id}", f"its day is damaged: {one.error}")

    def _merge(self, exported: Decision, stored: Decision) -> Decision:
        """Add what the export has of a stored decision; returns the decision as it is stored then."""
        if exported == stored:
            self._report.count(KIND, Status.UNCHANGED)
        elif follows(exported, stored):
            self._report.count(KIND, Status.NEWER)
        elif not follows(stored, exported):
            self._report.conflict(KIND, exported.decision_id, "the table has it with other content or outcomes")
        elif not self._write or self._decisions.replace_outcomes(stored, exported):
            self._report.count(KIND, Status.UPDATED)
            return exported
        else:
            why = "its outcomes changed during the import: the agent is running; stop it and import again"
            self._report.conflict(KIND, exported.decision_id, why)
        return stored

    def _let_expire(self, in_table: Sequence[Decision], archived: dict[str, Decision]) -> None:
        """Set the expiry of those in the table that the archive has as they are, and note the days of the others."""
        done = [one for one in in_table if archived.get(one.decision_id) == one]
        self.days_to_archive |= {date_of(one.timestamp_ms) for one in in_table if archived.get(one.decision_id) != one}
        if self._write and done:
            self._decisions.expire(done, [expiry_ms(one, self._now_ms) for one in done])

    def _is_read_from_table(self, decision: Decision) -> bool:
        return decision.timestamp_ms > self._now_ms - HOT_DAYS * DAY_MS

    def _with_ancestors(self, decision: Decision) -> Decision:
        """The decision with its ancestors, which archived decisions and exports of earlier versions do not contain."""
        found = dict(ancestors_of(decision))
        for parent in decision.parent_ids:
            for ancestor, steps in self._ancestors.get(parent, {}).items():
                if steps < MAX_STEPS:
                    found[ancestor] = min(steps + 1, found.get(ancestor, steps + 1))
        if not found:
            return decision
        if decision.ancestors:
            self._ancestors[decision.decision_id] = found
            return decision
        ancestors = dict(sorted(found.items(), key=lambda one: one[1])[:MAX_ANCESTORS])
        self._ancestors[decision.decision_id] = ancestors
        return replace(decision, ancestors=ancestors)


def expiry_ms(decision: Decision, now_ms: int) -> int:
    """When an archived decision that was written back expires from the table: as any other, but not within days."""
    return max(decision.timestamp_ms + HOT_DAYS * DAY_MS, now_ms + RESTORED_DAYS * DAY_MS)


def _agree(one: Decision, other: Decision) -> bool:
    return follows(one, other) or follows(other, one)
