"""`python -m benchmarks.cost_page`: writes the computed parts of docs/cost.md from the templates in cdk.out."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from agent_memory.pricing import (
    Cost,
    Deployment,
    agent_every_ten_minutes,
    hot_agent,
    load_prices,
    load_units,
    million_by_price,
    monthly_cost,
    per_million,
    read_deployment,
    ten_agents,
)
from agent_memory.pricing.workload import DECISIONS_PER_CYCLE, HOURS_PER_MONTH

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cost.md"
BEGIN, END = "<!-- {} computed by benchmarks.cost_page -->\n", "<!-- end of computed part -->\n"
_CENT = Decimal("0.01")
# The setting `dashboard` adds one with 155 metrics; their number does not change its list price.
_DASHBOARD_METRICS = (155,)
_SERVERLESS_GIGABYTES = Decimal("0.1")  # the minimum that is billed
_CACHE_COMMANDS_PER_REQUEST = 2
_PARTS = {
    "DynamoDB, write units": ("dynamodb_write_units",),
    "DynamoDB, storage with point-in-time recovery: 90 days of decisions, a year of links": (
        "dynamodb_storage",
        "dynamodb_pitr",
    ),
    "DynamoDB, read units": ("dynamodb_read_units",),
    "Lambda": ("lambda_requests", "lambda_arm_gb_seconds"),
    "API Gateway": ("http_api_requests",),
    "CloudWatch, logs": ("cloudwatch_logs_ingested", "cloudwatch_logs_stored"),
    "Data transfer": ("data_transfer_out", "zone_transfer"),
    "S3": ("s3_standard",),
    "X-Ray": ("xray_traces",),
}


def blocks(deployment: Deployment) -> dict[str, str]:
    """The computed parts of the page by name, for the agent with a cycle every ten minutes on a deployment."""
    return {
        "month": "".join(_month(_cost(deployment))),
        "cycle": _cycle(),
        "changes": "".join(_changes(deployment)),
        "million": "".join(_million(deployment)),
        "parts": "".join(_parts(deployment)),
        "sizes": "".join(_sizes(deployment)),
        "allowances": "".join(_allowances()),
    }


def updated(page: str, tables: dict[str, str]) -> str:
    """The page with each computed part replaced."""
    for name, table in tables.items():
        before, begin, rest = page.partition(BEGIN.format(name))
        if not begin:
            raise ValueError(f"docs/cost.md has no marker {BEGIN.format(name).strip()}")
        page = before + begin + table + END + rest.partition(END)[2]
    return page


def _cost(deployment: Deployment) -> Cost:
    return monthly_cost(agent_every_ten_minutes(), deployment)


def _month(cost: Cost) -> Iterator[str]:
    yield f"\nPrices of {cost.price_date}, units measured {cost.measured}.\n\n"
    yield "| service | usage | $ per month | share |\n| --- | --- | --: | --: |\n"
    for line in cost.lines:
        yield f"| {line.service} | {line.usage} | {line.monthly_usd} | {cost.share(line):.0%} |\n"
    yield f"| **at list prices** | | **{cost.total_usd}** | |\n"
    for service, usd in cost.allowances_usd.items():
        yield f"| {service} | always-free allowance of every account | -{usd} | |\n"
    left = cost.total_after_allowances_usd
    yield f"| **if nothing else in the account uses the allowances** | | **{left}** | |\n\n"


def _cycle() -> str:
    units = load_units()
    total = round(DECISIONS_PER_CYCLE * units.write_units)
    return (
        f"\nA cycle of six decisions costs {total} DynamoDB write units: per decision, {units.log_units:.1f} for "
        "logging it with its index\nentry and the links from the decisions that led to it, "
        f"{units.outcome_units:.1f} for its outcome and {units.expiry_units:.1f} for its expiry.\n\n"
    )


def _changes(deployment: Deployment) -> Iterator[str]:
    listed = _cost(deployment).total_usd
    changed = {
        "`-c dashboard=true`: the dashboard (more than 50 metrics, so the allowance does not cover it)": replace(
            deployment, dashboard_metrics=_DASHBOARD_METRICS
        ),
        "`-c trace_requests=true`: X-Ray also for requests, at most one per second and 5 % of the others": replace(
            deployment, traces_requests=True
        ),
        "`-c cache_nodes=2`: a replica of the cache in another availability zone": replace(deployment, cache_nodes=2),
        "`-c embedder=bedrock`: an endpoint of the VPC in one zone; $0.02 per million tokens come on top": replace(
            deployment, endpoint_zones=1
        ),
        "detailed metrics of the API's seven routes (not deployed)": replace(deployment, route_metrics=42),
        "no cache (agents provide their own, or have no short-term memory)": replace(deployment, cache_nodes=0),
    }
    yield "\n| change | $ per month | total |\n| --- | --: | --: |\n"
    for name, other in changed.items():
        total = _cost(other).total_usd
        yield f"| {name} | {total - listed:+} | {total} |\n"
    serverless = _cost(replace(deployment, cache_nodes=0)).total_usd + _serverless_usd()
    name = "ElastiCache Serverless for Valkey at its minimum of 100 MB (not implemented)"
    yield f"| {name} | {serverless - listed:+} | {serverless} |\n\n"


def _serverless_usd() -> Decimal:
    prices, commands = load_prices(), agent_every_ten_minutes().requests * _CACHE_COMMANDS_PER_REQUEST
    stored = prices["serverless_valkey_gb_hours"].cost(float(_SERVERLESS_GIGABYTES * HOURS_PER_MONTH))
    return (stored + prices["serverless_valkey_ecpus"].cost(commands)).quantize(_CENT)


def _million(deployment: Deployment) -> Iterator[str]:
    workload = agent_every_ten_minutes()
    million = per_million(workload, deployment)
    yield "\n| 1,000,000 decisions | $ |\n| --- | --: |\n"
    yield f"| Agent Memory, each additional million | {million.marginal:,.2f} |\n"
    fixed = f"Agent Memory at {workload.decisions:,.0f} per month, including the fixed cost"
    yield f"| {fixed} | {million.at_workload:,.2f} |\n"
    yield f"| AgentCore Memory, as events kept 365 days | {million.agentcore_events:,.2f} |\n"
    yield f"| AgentCore Memory, also as records that can be retrieved | {million.agentcore_records:,.2f} |\n"
    yield f"\nFrom {million.breaks_even_at:,} decisions per month, Agent Memory costs less than AgentCore's events.\n\n"


def _parts(deployment: Deployment) -> Iterator[str]:
    by_price = million_by_price(agent_every_ten_minutes(), deployment)
    yield "\n| part of an additional million | $ |\n| --- | --: |\n"
    for part, names in _PARTS.items():
        yield f"| {part} | {sum(by_price.pop(name) for name in names):.2f} |\n"
    if any(by_price.values()):
        raise ValueError(f"no part of the page has {', '.join(by_price)}")
    yield "\n"


def _sizes(deployment: Deployment) -> Iterator[str]:
    yield "\n| workload | decisions per month | $ per month | $ per million decisions |\n| --- | --: | --: | --: |\n"
    for workload in (agent_every_ten_minutes(), ten_agents(), hot_agent()):
        total = monthly_cost(workload, deployment).total_usd
        each = total * 1_000_000 / Decimal(str(workload.decisions))
        reads = f"{workload.reads:,.0f} reads"
        yield f"| {workload.scenario}; {reads} | {workload.decisions:,.0f} | {total:,.2f} | {each:,.2f} |\n"
    yield "\n"


def _allowances() -> Iterator[str]:
    prices = load_prices()
    yield "\n| per month | free | confirmed | source |\n| --- | --: | --- | --- |\n"
    for name, allowance in prices.always_free.items():
        unit = f"[{name.replace('_', ' ')}]({allowance.page}), {prices[name].unit}"
        yield f"| {unit} | {allowance.quantity:,} | {allowance.confirmed or 'no'} | {allowance.source} |\n"
    yield "\n"


def main() -> None:
    """Write the page."""
    tables = blocks(read_deployment(ROOT / "cdk.out"))
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
