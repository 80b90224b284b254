"""Imports an export of one agent: into another deployment, or into the same one after a loss."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent_memory.admin.agent_source import AgentSource
from agent_memory.admin.export_file import ExportFile
from agent_memory.admin.importing.decisions import DecisionImport
from agent_memory.admin.importing.memories import import_memories
from agent_memory.admin.importing.objects import ArchivePlan, PlannedObjects, import_objects, plan_archive
from agent_memory.admin.importing.report import ImportReport, Status
from agent_memory.admin.importing.short_term import import_short_term
from agent_memory.admin.importing.states import KIND as STATES
from agent_memory.admin.importing.states import belongs_to_archive, import_states, status_of, stored_state
from agent_memory.archive.rewrites import request_rewrite, rewrite_requests
from agent_memory.core.clock import Clock, parse_date, to_iso
from agent_memory.core.errors import Damaged
from agent_memory.core.ids import check_agent_id, shard_of
from agent_memory.core.keys import ARCHIVE_CHAIN, ARCHIVE_PROGRESS, LEARNING_PROGRESS
from agent_memory.model.decisions import Decision
from agent_memory.model.states import State
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.stores import Stores


class AgentImport:
    """Imports one agent into a deployment. Every method blocks.

    `open_archive` opens the archive in a bucket.
    """

    def __init__(
        self, agent_id: str, stores: Stores, clock: Clock, open_archive: Callable[[BlobStore], ArchiveStore]
    ) -> None:
        self._agent_id = check_agent_id(agent_id)
        self._stores = stores
        self._clock = clock
        self._open_archive = open_archive

    def run(self, path: Path, *, dry_run: bool) -> dict[str, Any]:
        """Write what an export contains and the deployment does not, or only count it.

        The file is read completely first, so that a damaged one changes nothing. Nothing newer is overwritten. After a
        failure, and at any other time, running it again continues, and writes nothing twice. The agent is registered
        last: until then no nightly job works on it. Stop the agent meanwhile.

        Returns:
            A receipt: `agent_id`, `imported_at`, `dry_run`, `counts` by kind of data and by what became of it,
            `conflicts`, which were left as they are, and `not_imported`, both with `id`, `reason` and `why`. What the
            deployment has in a damaged item is a conflict, and keeps nothing else back. `complete` is false if items
            were damaged where they were exported.

        Raises:
            InvalidInput: the file is damaged, or not an export of this agent; names the file and the line in it.
            Unavailable: a store did not respond; a part may be written.
        """
        with ExportFile(path, self._agent_id) as export:
            export.check()
            return self.copy(export, dry_run=dry_run)

    def copy(self, source: AgentSource, *, dry_run: bool) -> dict[str, Any]:
        """Write what a source has of the agent and the deployment does not, or only count it; see `run`."""
        report = ImportReport()
        self._import(source, report, write=not dry_run)
        damaged = source.missing()
        for one in damaged:
            report.not_imported(str(one.get("id")), f"it was damaged when it was exported: {one.get('why')}")
        receipt = {"agent_id": self._agent_id, "imported_at": to_iso(self._clock.now_ms()), "dry_run": dry_run}
        return receipt | report.as_dict() | {"complete": not damaged}

    def _import(self, export: AgentSource, report: ImportReport, *, write: bool) -> None:
        agent_id, stores = self._agent_id, self._stores
        states = dict(export.states())
        plan = self._plan_archive(export, states, report)
        progress = states.get(LEARNING_PROGRESS)
        with_evidence = progress is not None and status_of(
            progress, stored_state(stores.states, agent_id, LEARNING_PROGRESS)
        ) in (Status.CREATED, Status.UPDATED)
        import_objects(export, plan, stores.blobs, report, with_evidence=with_evidence, write=write)
        decisions = DecisionImport(agent_id, self._with_planned(export, plan), self._clock, report, write=write)
        types, shards = set(export.registration.decision_types), export.registration.write_shards

        def seen(decision: Decision) -> Decision:
            nonlocal shards
            types.add(decision.decision_type)
            shards = max(shards, shard_of(decision.decision_id) + 1)
            return decision

        decisions.run(map(seen, export.decisions()))
        import_memories(export.memories(), stores.memories, report, write=write)
        of_archive = [name for name in states if belongs_to_archive(name)]
        others = [name for name in states if not belongs_to_archive(name)]
        names = others if plan.refused else [*others, *of_archive]
        import_states(agent_id, states, names, stores.states, report, write=write)
        import_short_term(
            agent_id,
            export.short_term(),
            stores.short_term,
            report,
            age_seconds=self._age_seconds(export),
            write=write,
        )
        if write:
            self._request_rewrites(decisions)
            if types:
                stores.states.register(agent_id, sorted(types), shards, self._clock.now_ms())

    def _plan_archive(self, export: AgentSource, states: Mapping[str, State], report: ImportReport) -> ArchivePlan:
        try:
            return plan_archive(export, states, self._stores.blobs, self._stores.states)
        except Damaged as error:
            report.conflict(STATES, ARCHIVE_CHAIN, f"the table has it, but its item is damaged: {error}")
            return ArchivePlan(refused="the end of the deployment's own chain of seals is damaged")

    def _with_planned(self, export: AgentSource, plan: ArchivePlan) -> Stores:
        """The stores with the archive as it is after the import."""
        if self._stores.blobs is None or not plan.keys:
            return self._stores
        blobs = PlannedObjects(export, plan, self._stores.blobs)
        return replace(self._stores, archive=self._open_archive(blobs))

    def _request_rewrites(self, decisions: DecisionImport) -> None:
        """Ask the nightly job to archive the decisions of days that it has archived before, each day once."""
        states = self._stores.states
        progress = stored_state(states, self._agent_id, ARCHIVE_PROGRESS)
        if progress is None:
            return
        requested = {one.day for one in rewrite_requests(states, self._agent_id)}
        # Where the progress is damaged, any day may have been archived.
        through = None if isinstance(progress, Damaged) else parse_date(progress.data["archived_through"])
        for day in sorted(decisions.days_to_archive - requested):
            if through is None or day <= through:
                request_rewrite(states, self._agent_id, day, self._clock.now_ms())

    def _age_seconds(self, export: AgentSource) -> float | None:
        """How long ago the export was written; None if it does not say."""
        return None if export.exported_ms is None else (self._clock.now_ms() - export.exported_ms) / 1000
