"""`agent-memory decisions`: log decisions and their outcomes, list and show them."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from agent_memory.cli.groups import Commands
from agent_memory.cli.options import Agent, StoreOptions, TimeOptions, object_option
from agent_memory.cli.output import INCOMPLETE, Output, missing_lines, table
from agent_memory.client.decision_logger import DecisionLogger, SyncDecisionLogger
from agent_memory.core.errors import InColdStorage
from agent_memory.core.ids import check_pattern_id
from agent_memory.decisions.chains import MAX_DEPTH, MAX_LINKS, MAX_LINKS_LIMIT
from agent_memory.decisions.queries import MAX_PAGE, SuccessFilter

_COLUMNS = {"time": 24, "type": 20, "decision": 36, "outcome": 9, "based on": 8}
_CHAIN_COLUMNS = {"relation": 10, "distance": 8, **_COLUMNS}
_GROUP_COLUMNS = {"group": 40, "decisions": 9, "outcomes": 8, "succeeded": 9, "rate": 5, "low": 5, "high": 5}

decisions = Commands("Log decisions and outcomes, list and show them, and exclude them from learning.")


class Status(StrEnum):
    """What the headline outcome of a decision says."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"


_SUCCESS: dict[Status, SuccessFilter] = {Status.SUCCEEDED: True, Status.FAILED: False, Status.PENDING: "pending"}


Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only decisions of this type.")]
BasedOn = Annotated[
    str | None, typer.Option("--memory", metavar="ID", help="Only decisions that name this memory in `memory_ids`.")
]
DecisionId = Annotated[str, typer.Argument(metavar="DECISION", help="The decision's id.")]
Success = Annotated[
    bool, typer.Option("--success/--failure", help="Whether the decision succeeded.", show_default=False)
]


@decisions.command("list")
def list_(
    *,
    agent: Agent,
    time: TimeOptions,
    type_: Type = None,
    memory: BasedOn = None,
    status: Annotated[Status | None, typer.Option(help="Only decisions whose outcome says this.")] = None,
    context: Annotated[
        dict[str, Any] | None, object_option("--context", "Only decisions with this part of a context.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", show_default="all", help="The most decisions to print.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="WORDS", help="Words that a decision has somewhere, in any case.")
    ] = None,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Print the newest decision first.")] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print an agent's decisions, oldest first, from table and archive; with --json one object per line.

    Exit code: 0 all of them, 1 there are more than --limit or some cannot be read, as the last lines say, 2 none.
    """
    found = _Query(_logger(where, agent), type_, time, status, context, text=text, newest_first=newest_first)
    rows = found.first(limit, memory)
    if output.as_json:
        for one in rows:
            output.json(one)
    else:
        for line in table(_COLUMNS, map(_cells, rows), "no decisions"):
            output.line(line)
    for line in found.notes():
        output.line(line, err=output.as_json)
    return INCOMPLETE if found.is_cut or found.missing else 0


@decisions.command()
def show(decision: DecisionId, *, agent: Agent, where: StoreOptions, output: Output) -> int:
    """Print one decision with its context, reasoning, outcomes and what they replaced."""
    found = _logger(where, agent).get_decision(decision)
    output.show(found, _member_lines(found))
    return 0


@decisions.command()
def log(
    *,
    agent: Agent,
    type_: Annotated[str, typer.Option("--type", metavar="TYPE", help="The decision's type, as QUERY.")],
    context: Annotated[dict[str, Any], object_option("--context", "The situation in which it was made.")],
    reasoning: Annotated[dict[str, Any] | None, object_option("--reasoning", "Why it was made.")] = None,
    metadata: Annotated[dict[str, Any] | None, object_option("--metadata", "Any other data.")] = None,
    decision_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", show_default="a new one", help="Its id, so that a call can be repeated."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", show_default="now", help="When it was made, ISO 8601 with an offset.")
    ] = None,
    parent: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A decision that led to this one; repeatable.")
    ] = None,
    memory: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A memory that it is based on; repeatable.")
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Log a decision, and print its id."""
    logged = _logger(where, agent, creates=True).log_decision(
        type_,
        context,
        reasoning or {},
        metadata,
        decision_id=decision_id,
        timestamp=at,
        parent_ids=parent or (),
        memory_ids=memory or (),
    )
    output.show({"decision_id": logged}, [logged])
    return 0


@decisions.command()
def outcome(
    decision: DecisionId,
    *,
    agent: Agent,
    success: Success,
    details: Annotated[dict[str, Any] | None, object_option("--details", "What happened.")] = None,
    metrics: Annotated[dict[str, Any] | None, object_option("--metrics", "Measurements, as quality.")] = None,
    horizon: Annotated[
        str | None, typer.Option(metavar="NAME", help="When it was measured, as 1h, for several outcomes.")
    ] = None,
    amend: Annotated[bool, typer.Option("--amend", help="Replace the outcome of this horizon, which is kept.")] = False,
    headline: Annotated[bool, typer.Option("--headline", help="Make this the outcome that decides success.")] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", show_default="now", help="When it became known, ISO 8601.")
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Log an outcome of a decision; the same one again changes nothing."""
    _logger(where, agent).log_outcome(
        decision, details or {}, success, metrics, horizon=horizon, amend=amend, headline=headline, timestamp=at
    )
    says = "succeeded" if success else "failed"
    output.show({"decision_id": decision, "success": success, "horizon": horizon}, [f"{decision} {says}"])
    return 0


@decisions.command()
def chain(
    decision: DecisionId,
    *,
    agent: Agent,
    depth: Annotated[int, typer.Option(min=1, max=MAX_DEPTH, metavar="N", help="Steps in each direction.")] = 5,
    limit: Annotated[
        int, typer.Option(min=1, max=MAX_LINKS_LIMIT, metavar="N", help="The most that are followed of one decision.")
    ] = MAX_LINKS,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print what led to a decision, what followed from it, and the decisions before and after it.

    Exit code: 0 all of them, 1 some are missing, as the last lines say, 2 there is no such decision.
    """
    found = _logger(where, agent).get_decision_chain(decision, depth, limit=limit)
    rows = ([one["relation"], one["distance"], *_cells(one)] for one in found)
    return output.listing(found, "chain", table(_CHAIN_COLUMNS, rows, "no other decisions"))


@decisions.command()
def stats(
    *,
    agent: Agent,
    time: TimeOptions,
    type_: Type = None,
    by: Annotated[
        str, typer.Option("--by", metavar="PATH", help="context, source, type, or a path as reasoning.strategy.")
    ] = "context",
    where: StoreOptions,
    output: Output,
) -> int:
    """Print how often decisions succeeded, by group, with the 95 % interval of each rate.

    Exit code: 0 of all decisions, 1 without those that are damaged, which are named, 2 not done.
    """
    found = _logger(where, agent).analyze_decision_patterns(type_, time.range, by)
    rows = (
        [one.get("group", "total"), *(one[name] for name in ("count", "with_outcome", "succeeded")), *_rate(one)]
        for one in [*found["groups"], found["total"]]
    )
    output.show(found, [*table(_GROUP_COLUMNS, rows, "no decisions"), *missing_lines(found["missing"])])
    return 0 if found["complete"] else INCOMPLETE


class _Query:
    """The decisions that match, read page by page, and what they leave out."""

    def __init__(
        self,
        log: SyncDecisionLogger,
        type_: str | None,
        time: TimeOptions,
        status: Status | None,
        context: dict[str, Any] | None,
        *,
        text: str | None,
        newest_first: bool,
    ) -> None:
        success: SuccessFilter = _SUCCESS[status] if status else None
        self._page = partial(
            log.page_decisions, type_, time.range, success, context, MAX_PAGE, newest_first=newest_first, text=text
        )
        self.missing: dict[str, Mapping[str, Any]] = {}
        self.is_cut = False

    def first(self, limit: int | None, memory: str | None) -> Iterator[Mapping[str, Any]]:
        """The first ones, of those that are based on a memory."""
        if memory is not None:
            check_pattern_id(memory)
        for count, one in enumerate(self._based_on(memory)):
            if count == limit:
                self.is_cut = True
                return
            yield one

    def notes(self) -> Iterator[str]:
        """Lines that say what was left out."""
        yield from missing_lines(self.missing.values())
        if self.is_cut:
            yield "there are more; raise --limit, or narrow --from and --to"

    def _based_on(self, memory: str | None) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._page(cursor=cursor)
            yield from (one for one in page["decisions"] if memory is None or memory in one["memory_ids"])
            self.missing |= {one["id"]: one for one in page["missing"]}
            cursor = page["cursor"]
            if cursor is None or any(one["reason"] == InColdStorage.code for one in page["missing"]):
                return


def _logger(where: StoreOptions, agent: str, *, creates: bool = False) -> SyncDecisionLogger:
    return DecisionLogger(agent, stores=where.connection(creates=creates)).sync


def _cells(decision: Mapping[str, Any]) -> list[object]:
    outcome = {None: Status.PENDING, True: Status.SUCCEEDED, False: Status.FAILED}[decision.get("success")]
    memories = decision.get("memory_ids")
    based_on = f"based on {', '.join(memories)}" if memories else ""
    return [decision.get("timestamp"), decision.get("decision_type"), decision["decision_id"], str(outcome), based_on]


def _rate(group: Mapping[str, Any]) -> list[object]:
    return [group[name] for name in ("success_rate", "low", "high")]


def _member_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield from table({"member": 20, "value": 0}, found.items(), "")
