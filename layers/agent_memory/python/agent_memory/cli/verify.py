"""`agent-memory verify`: check that an agent's archive has not changed since it was sealed."""

import json
from datetime import date
from typing import Annotated

import typer

from agent_memory.archive.verification import Finding, Verification, verify_archive
from agent_memory.cli.options import Agent, AsJson, Bucket, TablePrefix, day, require_bucket, stores_of
from agent_memory.core.clock import SystemClock

HAS_FINDINGS = 1


def verify(
    *,
    agent: Agent,
    first: Annotated[
        date | None,
        typer.Option("--from", metavar="YYYY-MM-DD", parser=day, help="The first day whose decisions are checked."),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", metavar="YYYY-MM-DD", parser=day, help="The last day whose decisions are checked."),
    ] = None,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Check an agent's archive: every decision, every day and every link of its chain of seals.

    Exit code: 0 the archive is unchanged, 1 it has changed, 2 it could not be checked.
    """
    if first is not None and last is not None and last < first:
        raise typer.BadParameter("is before --from", param_hint="'--to'")
    stores = stores_of(table_prefix, require_bucket(bucket))
    archive, now_ms = stores.bucket().archive, SystemClock().now_ms()
    verification = verify_archive(agent, states=stores.states, archive=archive, now_ms=now_ms, first=first, last=last)
    typer.echo(json.dumps(verification.as_dict()) if as_json else _text(verification))
    return 0 if verification.is_clean else HAS_FINDINGS


def _text(verification: Verification) -> str:
    checked = (
        f"{verification.agent_id}: {verification.days:,} days, {verification.decisions:,} decisions and "
        f"{verification.manifests:,} manifests checked"
    )
    head = [f"head: {verification.head}"] if verification.head else []
    if verification.is_clean:
        return "\n".join([f"{checked}; unchanged since sealed", *head])
    return "\n".join([*map(_line, verification.findings), f"{checked}; {len(verification.findings):,} findings", *head])


def _line(finding: Finding) -> str:
    place = [finding.day.isoformat() if finding.day else None, finding.decision_id]
    return f"{finding.kind}  {' '.join(one for one in place if one)}: {finding.message}"
