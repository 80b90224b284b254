"""`python -m benchmarks.cost_page`: writes the tables of docs/cost.md from the synthesized templates in cdk.out."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from agent_memory.pricing import (
    Cost,
    Deployment,
    agent_every_ten_minutes,
    load_prices,
    load_units,
    monthly_cost,
    per_million,
    read_deployment,
)
from agent_memory.pricing.workload import HOURS_PER_MONTH

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cost.md"
BEGIN, END = "<!-- {} computed by benchmarks.cost_page -->\n", "<!-- end of what is computed -->\n"
_CENT = Decimal("0.01")
# The setting `dashboard` gives one of 155 metrics; how many does not change its list price.
_DASHBOARD = (155,)
_SERVERLESS_GIGABYTES = Decimal("0.1")  # the least that is billed
_CACHE_COMMANDS_A_REQUEST = 2


def blocks(deployment: Deployment) -> dict[str, str]:
    """The page's tables by name, for the ten-minute agent on a deployment."""
    return {
        "month": "".join(_month(_cost(deployment))),
        "changes": "".join(_changes(deployment)),
        "million": "".join(_million(deployment)),
        "allowances": "".join(_allowances()),
    }


def written(page: str, tables: dict[str, str]) -> str:
    """The page with each table between its marks."""
    for name, table in tables.items():
        before, begin, rest = page.partition(BEGIN.format(name))
        if not begin:
            raise ValueError(f"docs/cost.md has no mark {BEGIN.format(name).strip()}")
        page = before + begin + table + END + rest.partition(END)[2]
    return page


def _cost(deployment: Deployment) -> Cost:
    return monthly_cost(agent_every_ten_minutes(), load_units(), deployment, load_prices())


def _month(cost: Cost) -> Iterator[str]:
    yield f"\nPrices of {cost.price_date}, units measured {cost.measured}.\n\n"
    yield "| service | what for | $ a month | share |\n| --- | --- | --: | --: |\n"
    for line in cost.lines:
        yield f"| {line.service} | {line.usage} | {line.monthly_usd} | {cost.share(line):.0%} |\n"
    yield f"| **at list prices** | | **{cost.total_usd}** | |\n"
    for service, usd in cost.allowances_usd.items():
        yield f"| {service} | allowed to every account, without an end date | -{usd} | |\n"
    left = cost.total_after_allowances_usd
    yield f"| **if nothing else in the account uses these allowances** | | **{left}** | |\n\n"


def _changes(deployment: Deployment) -> Iterator[str]:
    listed = _cost(deployment).total_usd
    changed = {
        "`-c dashboard=true`, the dashboard (over 50 metrics, so that the allowance does not cover it)": replace(
            deployment, dashboard_metrics=_DASHBOARD
        ),
        "`-c trace_requests=false`, X-Ray for nights only": replace(deployment, traces_requests=False),
        "`-c cache_nodes=2`, a replica of the cache in another zone": replace(deployment, cache_nodes=2),
        "detailed metrics of the API's seven routes, which are left out": replace(deployment, route_metrics=42),
        "no cache (agents bring their own, or do without short-term memory)": replace(deployment, cache_nodes=0),
    }
    yield "\n| change | $ a month | total |\n| --- | --: | --: |\n"
    for name, other in changed.items():
        total = _cost(other).total_usd
        yield f"| {name} | {total - listed:+} | {total} |\n"
    serverless = _cost(replace(deployment, cache_nodes=0)).total_usd + _serverless_usd()
    name = "ElastiCache Serverless for Valkey at its least, 100 MB (not built)"
    yield f"| {name} | {serverless - listed:+} | {serverless} |\n\n"


def _serverless_usd() -> Decimal:
    prices, commands = load_prices(), agent_every_ten_minutes().requests * _CACHE_COMMANDS_A_REQUEST
    stored = prices["serverless_valkey_gb_hours"].of(float(_SERVERLESS_GIGABYTES * HOURS_PER_MONTH))
    return (stored + prices["serverless_valkey_ecpus"].of(commands)).quantize(_CENT)


def _million(deployment: Deployment) -> Iterator[str]:
    workload = agent_every_ten_minutes()
    told = per_million(workload, load_units(), deployment, load_prices())
    yield "\n| 1,000,000 decisions | $ |\n| --- | --: |\n"
    yield f"| Agent Memory, each further million | {told.marginal:,.2f} |\n"
    fixed = f"Agent Memory at {workload.decisions:,.0f} a month, the fixed part of the month included"
    yield f"| {fixed} | {told.at_workload:,.2f} |\n"
    yield f"| AgentCore Memory, as events kept 365 days | {told.agentcore_events:,.2f} |\n"
    yield f"| AgentCore Memory, as records that can be retrieved besides | {told.agentcore_records:,.2f} |\n"
    yield f"\nFrom {told.breaks_even_at:,} decisions a month on, Agent Memory is cheaper than AgentCore's events.\n\n"


def _allowances() -> Iterator[str]:
    prices = load_prices()
    yield "\n| a month | free | confirmed | seen |\n| --- | --: | --- | --- |\n"
    for name, allowance in prices.always_free.items():
        unit = f"[{name.replace('_', ' ')}]({allowance.page}), {prices[name].unit}"
        yield f"| {unit} | {allowance.quantity:,} | {allowance.confirmed or 'no'} | {allowance.seen} |\n"
    yield "\n"


def main() -> None:
    """Write the page anew."""
    tables = blocks(read_deployment(ROOT / "cdk.out"))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
