"""Dated list prices and always-free allowances, read from the file of a region."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from agent_memory.core.errors import InvalidInput

CACHE_HOURS = "valkey_{node_type}_hours"


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` per `per` units; `confirmed` is an ISO date, or None if no dated source was found."""

    usd: Decimal
    per: Decimal
    unit: str
    page: str
    source: str
    confirmed: str | None

    def cost(self, quantity: float) -> Decimal:
        """US dollars for a quantity, not rounded."""
        return self.usd * Decimal(str(quantity)) / self.per


@dataclass(frozen=True, slots=True)
class Allowance:
    """The units of a price that are free, per account and month, without an end date."""

    quantity: Decimal
    page: str
    source: str
    confirmed: str | None


@dataclass(frozen=True, slots=True)
class Charge:
    """US dollars at list prices, and the part of them that the allowance of an otherwise empty account covers."""

    list_usd: Decimal = Decimal(0)
    allowed_usd: Decimal = Decimal(0)

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(self.list_usd + other.list_usd, self.allowed_usd + other.allowed_usd)


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices of one region, and the allowances without an end date, both by the name of the price."""

    region: str
    prices: Mapping[str, Price]
    always_free: Mapping[str, Allowance]

    def __getitem__(self, name: str) -> Price:
        """A price by its name in the file. Raises KeyError for an unknown name."""
        return self.prices[name]

    def charge(self, name: str, quantity: float) -> Charge:
        """The cost of a month's quantity."""
        price, allowance = self.prices[name], self.always_free.get(name)
        allowed = min(Decimal(str(quantity)), allowance.quantity) if allowance else Decimal(0)
        return Charge(price.cost(quantity), price.usd * allowed / price.per)

    def cache_node_hours(self, node_type: str, hours: float) -> Charge:
        """The cost of hours of a cache node.

        Raises:
            InvalidInput: the file has no price for the node type.
        """
        name = CACHE_HOURS.format(node_type=node_type)
        if name not in self.prices:
            begin, end = CACHE_HOURS.split("{node_type}")
            known = [one.removeprefix(begin).removesuffix(end) for one in self.prices if one.startswith(begin)]
            raise InvalidInput(
                "cache_node_type",
                f"there is no price for {node_type} in {self.region}, only for {', '.join(known)}; leave the cache "
                "out of the estimate and add its price yourself",
            )
        return self.charge(name, hours)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Names of the prices for which no dated source was found."""
        return tuple(name for name, price in self.prices.items() if price.confirmed is None)

    @property
    def confirmed_between(self) -> tuple[str, str] | None:
        """Oldest and newest date on which a price was confirmed; None if no price has a date."""
        dates = [price.confirmed for price in self.prices.values() if price.confirmed is not None]
        return (min(dates), max(dates)) if dates else None


def load_prices(region: str = "us-east-1") -> Prices:
    """Load a region's price file from this package.

    Raises:
        InvalidInput: this package has no price file for the region.
    """
    file = files("agent_memory.pricing").joinpath(f"prices-{region}.json")
    if not file.is_file():
        raise InvalidInput("region", f"no price file for {region!r}; there is one for us-east-1")
    content = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    return Prices(
        content["region"],
        MappingProxyType({name: Price(**_exact(entry)) for name, entry in content["prices"].items()}),
        MappingProxyType({name: Allowance(**_exact(entry)) for name, entry in content["always_free"].items()}),
    )


def _exact(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the file with its numbers as decimals."""
    return {name: Decimal(value) if isinstance(value, int) else value for name, value in entry.items()}
