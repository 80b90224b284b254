"""`agent-memory push`: copy agents from one store to another, and compare both."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.admin.push import Pace, Push, stored_agents
from agent_memory.cli.options import Agents, StoreOptions, open_store
from agent_memory.cli.output import Output, missing_lines
from agent_memory.cli.output_files import check_writable, write_text
from agent_memory.cli.progress import progress
from agent_memory.core.clock import to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.store_urls import check_store_url, is_same_store

_DIFFERENT = 1
_AWS_RATE = 1_000.0


def push(
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="URL", help="Where to copy to: sqlite:///memory.db or aws://PREFIX?region=REGION."
        ),
    ],
    agent: Agents = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="N", show_default="1,000 into AWS, else no limit", help="The most items to copy per second."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Also write the receipt to this file, as JSON.")
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Copy all data of agents from --store to another store, with ids, times, versions and seals, and compare both.

    What the other store lacks is written, nothing newer is overwritten. After a failure or an interruption the same
    command continues; running it again changes nothing. Stop the agents meanwhile. Afterwards both sides are compared
    by count and hash, day by day; only short-term memory is not, because it expires.

    Exit code: 0 both are equal, 1 they differ, there were conflicts or a part of the source cannot be read, as the last
    lines say, 2 not or partly done.
    """
    if receipt is not None:
        check_writable("--receipt", receipt)
    is_aws = check_store_url(to).scheme == "aws"
    if where.store and is_same_store(where.store, to):
        raise InvalidInput("--to", "is the store to copy from")
    source, target = where.stores(), open_store(to, creates=True)
    names = agent or stored_agents(source)
    work = Push(
        source,
        target,
        ParquetArchive,
        pace=Pace(rate if rate is not None else _AWS_RATE if is_aws else None),
        on_progress=_Counter(len(names)),
    )
    started_ms = source.clock.now_ms()
    agents = list(work.run(names, dry_run=dry_run))
    document = {"started_at": to_iso(started_ms), "finished_at": to_iso(source.clock.now_ms()), "agents": agents}
    if receipt is not None:
        write_text("--receipt", receipt, json.dumps(document, indent=2, ensure_ascii=False))
    output.show(document, _lines(agents))
    is_done = all(one.get("equal", one["complete"]) and not one["conflicts"] for one in agents)
    return 0 if is_done else _DIFFERENT


class _Counter:
    """Shows how many items of an agent were read in a step."""

    def __init__(self, agents: int) -> None:
        self._agents = agents
        self._seen: dict[str, int] = {}
        self._step, self._count = "", 0

    def __call__(self, agent: str, doing: str) -> None:
        self._seen.setdefault(agent, len(self._seen) + 1)
        if self._step != f"{agent} {doing}":
            self._step, self._count = f"{agent} {doing}", 0
        self._count += 1
        text = f"{agent} ({self._seen[agent]} of {self._agents}): {doing}, {self._count:,}"
        progress.advance(text, self._seen[agent] - 1, self._agents)


def _lines(agents: list[dict[str, Any]]) -> Iterator[str]:
    for one in agents:
        for kind, counts in one["counts"].items():
            numbers = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in counts.items())
            yield f"{one['agent_id']}  {kind.replace('_', ' '):<12}{numbers}"
        for reason in ("conflicts", "not_imported"):
            yield from (f"{one['agent_id']}  {line}" for line in missing_lines(one[reason]))
        for found in one.get("differences", ()):
            numbers = f"{found['source']:,} in the source, {found['target']:,} in the target"
            yield f"{one['agent_id']}  differs  {found['kind']} of {found['day']}: {numbers}"
        if one["dry_run"]:
            yield f"{one['agent_id']}  nothing was written; leave out --dry-run to copy"
        else:
            days = max((side["days"] for side in one["source"].values()), default=0)
            yield f"{one['agent_id']}  {_verdict(one)}: {days:,} days compared"
    if not agents:
        yield "there is no agent to copy"


def _verdict(receipt: dict[str, Any]) -> str:
    if receipt["equal"]:
        return "equal"
    return "different" if receipt["differences"] else "equal but for what cannot be read in the source"
