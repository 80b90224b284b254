"""The price files of this package: one a region, each price with its page and the date it was confirmed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType

from agent_memory.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for every `per` units; `confirmed` is an ISO date, or None where no dated source was found."""

    usd: Decimal
    per: Decimal
    unit: str
    page: str
    seen: str
    confirmed: str | None

    def of(self, quantity: float) -> Decimal:
        """US dollars for a quantity, not rounded."""
        return self.usd * Decimal(str(quantity)) / self.per


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices of one region."""

    region: str
    prices: Mapping[str, Price]
    free_allowances: str

    def __getitem__(self, name: str) -> Price:
        """Price by its name in the file; KeyError for a name it does not hold."""
        return self.prices[name]

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Names of the prices for which no dated source was found."""
        return tuple(name for name, price in self.prices.items() if price.confirmed is None)

    @property
    def confirmed_between(self) -> tuple[str, str] | None:
        """Oldest and newest date on which a price was confirmed; None if no price carries a date."""
        dates = [price.confirmed for price in self.prices.values() if price.confirmed is not None]
        return (min(dates), max(dates)) if dates else None


def load_prices(region: str = "us-east-1") -> Prices:
    """Read a region's price file from this package.

    Raises:
        InvalidInput: this package has no price file for the region.
    """
    file = files("agent_memory.costs").joinpath(f"prices-{region}.json")
    if not file.is_file():
        raise InvalidInput("region", f"no price file for {region!r}; there is one for us-east-1")
    content = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    prices = {name: _price(entry) for name, entry in content["prices"].items()}
    return Prices(content["region"], MappingProxyType(prices), content["free_allowances"])


def _price(entry: Mapping[str, object]) -> Price:
    confirmed = entry["confirmed"]
    return Price(
        usd=Decimal(str(entry["usd"])),
        per=Decimal(str(entry["per"])),
        unit=str(entry["unit"]),
        page=str(entry["page"]),
        seen=str(entry["seen"]),
        confirmed=None if confirmed is None else str(confirmed),
    )
