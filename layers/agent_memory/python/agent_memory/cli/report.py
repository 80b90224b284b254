"""`agent-memory report`: an agent's performance as one HTML page or as JSON, from its stores or over HTTP."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.cli.options import Agent, StoreOptions, TimeOptions
from agent_memory.cli.output import Output, missing_lines
from agent_memory.cli.output_files import check_writable, write_text
from agent_memory.core.extras import needs_extra
from agent_memory.decisions.queries import TimeRange
from agent_memory.ports.stores import Stores

_INCOMPLETE = 1


def report(
    *,
    agent: Agent,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", dir_okay=False, help="Where to write the page, as report.html."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The HTTP API of the deployment, which is then read instead of tables and bucket.",
        ),
    ] = None,
    time: TimeOptions,
    templates: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Synthesized templates, for the cost of a month; `make synth` writes cdk.out."
        ),
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Write how an agent's decisions did and what it learned, with every rate's interval and number of outcomes.

    Without a bucket, decisions that are only in the archive are not read.

    Exit code: 0 the report is complete, 1 it names what is missing, 2 there is none.
    """
    if out is None and not output.as_json:
        raise typer.BadParameter("is needed; or --json", param_hint="'--out'")
    if out is not None:
        check_writable("--out", out)
    with needs_extra("report"):
        from agent_memory.reporting import render_report  # noqa: PLC0415  an extra
        from agent_memory.reporting.cost import cost_of_a_month  # noqa: PLC0415  an extra
    found = asyncio.run(_read(agent, url, time.range, where.stores() if url is None else None))
    if templates is not None:
        found["cost"] = cost_of_a_month(found, templates)
    if out is not None:
        write_text("--out", out, render_report(found))
    output.show(found, [f"{out}: {_summary(found)}", *missing_lines(found["missing"])])
    return 0 if found["complete"] else _INCOMPLETE


async def _read(agent: str, url: str | None, time_range: TimeRange, stores: Stores | None) -> dict[str, Any]:
    """The agent's report from its stores, or from the API at `url`."""
    with needs_extra("report"):
        from agent_memory.reporting.analytics import MemoryAnalytics  # noqa: PLC0415  an extra
    if url is not None:
        with needs_extra("client"):
            from agent_memory.client.client import AgentMemoryClient  # noqa: PLC0415  an extra
        async with AgentMemoryClient(url, agent) as client:
            return await MemoryAnalytics(client, client).generate_performance_report(time_range)
    from agent_memory.client.decision_logger import DecisionLogger  # noqa: PLC0415  not needed for a URL
    from agent_memory.client.memory_manager import MemoryManager  # noqa: PLC0415  not needed for a URL

    memory = MemoryManager(agent, stores=stores)
    log = DecisionLogger(agent, memory_manager=memory)
    return await MemoryAnalytics(log, memory).generate_performance_report(time_range)


def _summary(found: dict[str, Any]) -> str:
    totals, patterns = found["totals"], found["patterns"]
    active = sum(pattern["status"] == "active" for pattern in patterns)
    return f"{totals['decisions']:,} decisions, {totals['with_outcome']:,} with an outcome, {active} active patterns"
