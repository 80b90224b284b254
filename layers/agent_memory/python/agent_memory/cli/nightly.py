"""`agent-memory nightly`: run the nightly job by hand, for any agent and day."""

import json
from typing import Annotated, Any

import typer

from agent_memory.cli.options import AsJson, Bucket, Day, TablePrefix, require_bucket, stores_of
from agent_memory.nightly.run import run_nightly_jobs

FAILED_AGENTS = 1


def nightly(
    *,
    date_: Day,
    agent: Annotated[
        list[str] | None, typer.Option("--agent", metavar="ID", help="An agent; repeatable. By default all agents.")
    ] = None,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Learn, prune, archive and report for a UTC day, in this process. Running it again changes nothing.

    Exit code: 0 every agent's job succeeded, 1 some failed, 2 no job could be started.
    """
    entries = run_nightly_jobs(agent or None, date_, stores_of(table_prefix, require_bucket(bucket)))
    typer.echo(json.dumps(entries) if as_json else "\n".join(map(_line, entries)) or "no agent is registered")
    return FAILED_AGENTS if any("error" in entry for entry in entries) else 0


def _line(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return f"{entry['agent_id']}  failed: {entry['error']}"
    learned, pruned, archived = entry["consolidation"], entry["pruning"], entry["archival"]
    notes = [one["note"] for one in learned["outcomes"].values() if one["note"]]
    line = (
        f"{entry['agent_id']}  {learned['evidence_rows']:,} rows of evidence, {learned['active']} active patterns, "
        f"{pruned['pruned']} memories pruned, {archived['decisions']:,} decisions archived"
    )
    return "\n  ".join([line, *notes])
