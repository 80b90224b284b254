"""`agent-memory verify`: check that an agent's archive has not changed since it was sealed."""

from datetime import date
from typing import Annotated

import typer

from agent_memory.archive.verification import Finding, Verification, verification_of
from agent_memory.cli import FAILED
from agent_memory.cli.options import Agent, StoreOptions, day_option
from agent_memory.cli.output import Output

_EXIT_CODES = {"unchanged": 0, "changed": 1, "nothing_checked": FAILED}


def verify(
    *,
    agent: Agent,
    first: Annotated[date | None, day_option("--from", "The first day whose decisions are checked.")] = None,
    last: Annotated[date | None, day_option("--to", "The last day whose decisions are checked.")] = None,
    since: Annotated[date | None, day_option("--since", "Check only days sealed on this day or later.")] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A head that was printed earlier, which the chain must still contain."),
    ] = None,
    where: StoreOptions,
    anchor_bucket: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="AGENT_MEMORY_ANCHOR_BUCKET",
            help="The bucket of another account with the ends of the chain, all of which it must still contain.",
        ),
    ] = None,
    output: Output,
) -> int:
    """Check an agent's archive: every decision, every day and every link of its chain of seals.

    Exit code: 0 what was checked is unchanged, 1 something has changed, 2 there was nothing to check, or it failed.
    """
    if first is not None and last is not None and last < first:
        raise typer.BadParameter("is before --from", param_hint="'--to'")
    stores = where.stores(needs_bucket=True, anchor_bucket=anchor_bucket)
    verification = verification_of(agent, stores, first=first, last=last, since=since, head=head)
    output.show(verification.as_dict(), _lines(verification))
    return _EXIT_CODES[verification.status]


def _lines(verification: Verification) -> list[str]:
    checked = (
        f"{verification.agent_id}: {verification.days:,} days, {verification.decisions:,} decisions and "
        f"{verification.manifests:,} manifests checked"
    )
    result = {
        "unchanged": "unchanged since sealed",
        "changed": f"{len(verification.findings):,} findings",
        "nothing_checked": "nothing to check: no sealed day matches",
    }
    head = [f"head: {verification.head}"] if verification.head else []
    findings = map(_line, verification.findings)
    anchors = [] if verification.anchored is None else [f"anchors: {verification.anchored:,} compared"]
    return [*findings, f"{checked}; {result[verification.status]}", *_not_covered(verification), *head, *anchors]


def _not_covered(verification: Verification) -> list[str]:
    numbers = verification.not_covered
    parts = [
        (numbers.unsealed_decisions, f"{numbers.unsealed_decisions or 0:,} decisions in the table only"),
        (numbers.unsealed_days, f"{numbers.unsealed_days or 0:,} days not sealed yet"),
        (numbers.days_without_seal, f"{numbers.days_without_seal:,} days without a seal among the sealed ones"),
        (numbers.requested_days, f"{numbers.requested_days:,} days waiting to be written again"),
    ]
    named = [text for number, text in parts if number]
    return [f"not covered: {', '.join(named)}"] if named else []


def _line(finding: Finding) -> str:
    place = " ".join(filter(None, [finding.day.isoformat() if finding.day else None, finding.decision_id]))
    return f"{finding.kind}  {place}: {finding.message}" if place else f"{finding.kind}  {finding.message}"
