"""`agent-memory cost`: estimate the cost of a month, before anything is deployed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from agent_memory.cli.output import Output
from agent_memory.core.errors import InvalidInput
from agent_memory.pricing import (
    Cost,
    PerMillion,
    Prices,
    Workload,
    agent_every_ten_minutes,
    load_prices,
    monthly_cost,
    per_million,
    read_deployment,
    read_prices,
)

_DEFAULT = agent_every_ten_minutes()


def cost(
    *,
    templates: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The synthesized templates; `make synth` writes them.")
    ] = Path("cdk.out"),
    decisions_per_day: Annotated[
        float, typer.Option(min=0, metavar="N", help="Decisions logged per day, by all agents; each gets an outcome.")
    ] = _DEFAULT.decisions_per_day,
    reads: Annotated[
        float, typer.Option(min=0, metavar="N", help="Reads of decisions and memories per month, by all agents.")
    ] = _DEFAULT.reads,
    agents: Annotated[int, typer.Option(min=1, metavar="N", help="Agents.")] = _DEFAULT.agents,
    batch_size: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="Decisions, or outcomes, per request.")
    ] = _DEFAULT.batch_size,
    retention_days: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", show_default="all that is kept", help="Days in the archive."),
    ] = None,
    cache_off: Annotated[bool, typer.Option("--cache-off", help="Leave the cache out of the estimate.")] = False,
    region: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="us-east-1", help="Use the list prices of this region."),
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default="those of the region", help="Use the prices in this file."),
    ] = None,
    output: Output,
) -> int:
    """Estimate the cost of a month on AWS, item by item, and of a million decisions.

    The estimate uses synthesized templates, measured capacity units and dated list prices, without AWS.
    """
    listed = _prices(region, prices)
    deployment = read_deployment(templates)
    if cache_off:
        deployment = replace(deployment, cache_nodes=0)
    workload = Workload(
        scenario="",
        decisions_per_day=decisions_per_day,
        reads=reads,
        agents=agents,
        batch_size=batch_size,
        archived_days=retention_days,
    )
    workload = replace(workload, scenario=_scenario(workload))
    month = monthly_cost(workload, deployment, prices=listed)
    million = per_million(workload, deployment, prices=listed)
    dollars = {name: round(float(getattr(million, name)), 2) for name in PerMillion.__slots__}
    lines = [*_month_lines(month), "", *_million_lines(million, workload)]
    output.show(month.as_dict() | {"per_million_decisions_usd": dollars}, lines)
    return 0


def _prices(region: str | None, file: Path | None) -> Prices:
    if file is None:
        return load_prices() if region is None else load_prices(region)
    prices = read_prices(file)
    if region not in (None, prices.region):
        raise InvalidInput("region", f"is {region}, but {file} has the prices of {prices.region}; leave out --region")
    return prices


def _scenario(workload: Workload) -> str:
    if replace(workload, scenario=_DEFAULT.scenario) == _DEFAULT:
        return _DEFAULT.scenario
    agents = f"{workload.agents:,} agent{'' if workload.agents == 1 else 's'}"
    return f"{agents}, {workload.decisions_per_day:,.0f} decisions per day, {workload.reads:,.0f} reads per month"


def _month_lines(cost: Cost) -> Iterator[str]:
    yield f"{cost.scenario}; prices of {cost.price_date}, units measured {cost.measured}"
    yield ""
    yield "   $/month  share"
    for line in cost.lines:
        yield f"{line.monthly_usd:>10,.2f}  {cost.share(line):>5.0%}  {line.service:<21}  {line.usage}"
    largest = cost.lines[0]
    share = cost.share(largest)
    yield f"{cost.total_usd:>10,.2f}         at list prices; {largest.service} is the largest item with {share:.0%}"
    for service, usd in cost.allowances_usd.items():
        yield f"{-usd:>10,.2f}         {service}: always-free allowance of every account"
    left = cost.total_after_allowances_usd
    yield f"{left:>10,.2f}         if nothing else in the account uses the allowances"
    yield ""
    yield from cost.notes


def _million_lines(million: PerMillion, workload: Workload) -> Iterator[str]:
    yield "$ for 1,000,000 decisions: logged with their outcomes, kept for a year, recalled once"
    yield f"{million.marginal:>10,.2f}  each additional million"
    yield f"{million.at_workload:>10,.2f}  at {workload.decisions:,.0f} per month, including the fixed cost"
    yield f"{million.agentcore_events:>10,.2f}  Bedrock AgentCore Memory, as events: two per decision, kept 365 days"
    yield f"{million.agentcore_records:>10,.2f}  Bedrock AgentCore Memory, also as records that can be retrieved"
    yield f"From {million.breaks_even_at:,} decisions per month it costs less than AgentCore's events."
