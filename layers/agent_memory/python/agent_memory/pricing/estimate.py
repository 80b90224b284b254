"""The cost of a month: its lines, and the total before and after the always-free allowances."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from agent_memory.pricing.deployment import Deployment
from agent_memory.pricing.line_items import MonthlyUsage
from agent_memory.pricing.measured_units import MeasuredUnits, load_units
from agent_memory.pricing.prices import Prices, load_prices
from agent_memory.pricing.workload import DECISIONS_PER_CYCLE, Workload

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the estimate, in US dollars.

    Attributes:
        service: the AWS service.
        usage: the usage as text.
        monthly_usd: at list prices, rounded up to the cent.
        allowed_usd: the part that an always-free allowance covers, not rounded.
    """

    service: str
    usage: str
    monthly_usd: Decimal
    allowed_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Cost:
    """The lines of a month, most expensive first, and their total."""

    scenario: str
    price_date: str
    measured: str
    lines: tuple[CostLine, ...]
    notes: tuple[str, ...]

    @property
    def total_usd(self) -> Decimal:
        """Sum of the lines as shown, at list prices."""
        return sum((line.monthly_usd for line in self.lines), Decimal(0))

    @property
    def allowances_usd(self) -> dict[str, Decimal]:
        """The reduction by always-free allowances, by service, rounded down to the cent; the largest first."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            found[line.service] += line.allowed_usd
        cents = {service: usd // CENT * CENT for service, usd in found.items() if usd >= CENT}
        return dict(sorted(cents.items(), key=lambda one: one[1], reverse=True))

    @property
    def total_after_allowances_usd(self) -> Decimal:
        """The total if nothing else in the account uses the allowances."""
        return self.total_usd - sum(self.allowances_usd.values(), Decimal(0))

    def share(self, line: CostLine) -> float:
        """A line's share (0-1) of the total at list prices."""
        return float(line.monthly_usd / self.total_usd) if self.total_usd else 0.0

    def as_dict(self) -> dict[str, object]:
        """The `cost` section of the report, in plain JSON types."""
        return {
            "scenario": self.scenario,
            "price_date": self.price_date,
            "measured": self.measured,
            "lines": [
                {"service": line.service, "usage": line.usage, "monthly_usd": float(line.monthly_usd)}
                for line in self.lines
            ],
            "total_usd": float(self.total_usd),
            "allowances_usd": {service: float(usd) for service, usd in self.allowances_usd.items()},
            "total_after_allowances_usd": float(self.total_after_allowances_usd),
            "notes": list(self.notes),
        }


def monthly_cost(
    workload: Workload, deployment: Deployment, *, units: MeasuredUnits | None = None, prices: Prices | None = None
) -> Cost:
    """Estimate the cost of a month at list prices; the always-free allowances are separate.

    Each line is rounded up to the cent, so that the lines shown add up to the total shown.

    Args:
        workload: the decisions and reads of the month.
        deployment: the resources.
        units: by default those measured for this version.
        prices: by default those of us-east-1.

    Raises:
        InvalidInput: there is no price for the cache's type of node.
    """
    units, prices = units or load_units(), prices or load_prices()
    lines = (
        CostLine(
            one.service,
            f"{one.usage} (assumed: {', '.join(one.assumed)})" if one.assumed else one.usage,
            one.charge.list_usd.quantize(CENT, rounding=ROUND_CEILING),
            one.charge.allowed_usd,
        )
        for one in MonthlyUsage(workload, units, deployment, prices).lines()
    )
    ordered = sorted(lines, key=lambda line: line.monthly_usd, reverse=True)
    between = prices.confirmed_between
    price_date = "no dated source" if between is None else " to ".join(between)
    return Cost(workload.scenario, price_date, units.measured, tuple(ordered), _notes(workload, deployment, prices))


def _notes(workload: Workload, deployment: Deployment, prices: Prices) -> tuple[str, ...]:
    undated = ", ".join(name.replace("_", " ") for name in prices.unconfirmed)
    unpriced = ", ".join(f"{count} {kind}" for kind, count in deployment.unpriced.items())
    notes = [
        f"On-demand list prices of {prices.region}; each line is rounded up to the cent; no tax.",
        "Allowances apply to an account: everything else in it uses them, too.",
    ]
    if undated:
        notes.append(f"Prices without a dated source: {undated}.")
    if workload.batch_size < DECISIONS_PER_CYCLE:
        notes.append("Links between decisions were measured in batches of a cycle; smaller batches write more of them.")
    if unpriced:
        notes.append(f"Not in the total, because there is no price for them: {unpriced}.")
    return tuple(notes)
