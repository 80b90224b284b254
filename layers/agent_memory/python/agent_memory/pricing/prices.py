"""Dated list prices and always-free allowances, read from the file of a region."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agent_memory.core.errors import InvalidInput

CACHE_HOURS = "valkey_{node_type}_hours"
_BEGIN, _END = "prices-", ".json"
_NUMBERS = ("usd", "per", "quantity")


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
            known = [one.removeprefix(begin).removesuffix(end) for one in sorted(self.cache_nodes)]
            raise InvalidInput(
                "cache_node_type",
                f"there is no price for {node_type} in {self.region}, only for {', '.join(known) or 'none'}; add "
                f"{name} to a price file of your own and name it with --prices, or leave the cache out of the estimate",
            )
        return self.charge(name, hours)

    @property
    def cache_nodes(self) -> frozenset[str]:
        """Names of the prices of cache nodes."""
        begin, end = CACHE_HOURS.split("{node_type}")
        return frozenset(name for name in self.prices if name.startswith(begin) and name.endswith(end))

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Names of the prices for which no dated source was found."""
        return tuple(name for name, price in self.prices.items() if price.confirmed is None)

    @property
    def confirmed_between(self) -> tuple[str, str] | None:
        """Oldest and newest date on which a price was confirmed; None if no price has a date."""
        dates = [price.confirmed for price in self.prices.values() if price.confirmed is not None]
        return (min(dates), max(dates)) if dates else None


def known_regions() -> tuple[str, ...]:
    """The regions whose prices this package has."""
    names = (file.name for file in files("agent_memory.pricing").iterdir())
    return tuple(sorted(name.removeprefix(_BEGIN).removesuffix(_END) for name in names if name.startswith(_BEGIN)))


def load_prices(region: str = "us-east-1") -> Prices:
    """Load a region's price file from this package.

    Raises:
        InvalidInput: this package has no price file for the region.
    """
    if region not in known_regions():
        raise InvalidInput(
            "region",
            f"the prices of {region!r} are not known, only those of {', '.join(known_regions())}; copy that file from "
            "the package, put in the region's prices, and name the copy with --prices",
        )
    return _prices(files("agent_memory.pricing").joinpath(f"{_BEGIN}{region}{_END}").read_text(encoding="utf-8"))


def read_prices(file: Path) -> Prices:
    """Read a price file of one's own, in the form of this package's `prices-us-east-1.json`.

    Raises:
        InvalidInput: the file cannot be read, or lacks a price that the file of this package has; it is named.
    """
    try:
        prices = _prices(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, ArithmeticError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("prices", f"{file} is not a price file: {error!r}") from error
    own = load_prices()
    if missing := sorted(own.prices.keys() - prices.prices.keys() - own.cache_nodes):
        raise InvalidInput("prices", f"{file} lacks {', '.join(missing)}")
    if unknown := sorted(prices.always_free.keys() - prices.prices.keys()):
        raise InvalidInput("prices", f"{file} has allowances without a price: {', '.join(unknown)}")
    return prices


def _prices(text: str) -> Prices:
    content = json.loads(text, parse_float=Decimal)
    return Prices(
        str(content["region"]),
        MappingProxyType({name: Price(**_checked(name, entry)) for name, entry in content["prices"].items()}),
        MappingProxyType({name: Allowance(**_checked(name, entry)) for name, entry in content["always_free"].items()}),
    )


def _checked(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the file with its numbers as decimals; `ValueError` if one is not positive, or a date is none."""
    if entry["confirmed"] is not None:
        date.fromisoformat(entry["confirmed"])
    numbers = {field: value for field, value in entry.items() if field in _NUMBERS}
    for field, value in numbers.items():
        is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        if not is_number or value <= 0:
            raise ValueError(f"{name}: {field} must be a number above 0, is {value!r}")
    return {**entry, **{field: Decimal(value) for field, value in numbers.items()}}
