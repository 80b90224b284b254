"""Which columns of a file of options mean what: the names that vendors and libraries give them.

Names are compared as those of bars are (`trading_agents.bars.column_names.compact`).
"""

from collections.abc import Mapping, Sequence

from trading_agents.bars.column_names import compact

NAMES: Mapping[str, tuple[str, ...]] = {
    "quoted": (
        "quotedate", "quotedatetime", "quotetime", "quotetimestamp", "timestamp", "datetime", "datadate", "tradedate",
        "tradingday", "date", "time", "asof", "asofdate", "day", "t",
    ),
    "time_of_day": ("timeofday", "quotetimeofday", "time"),
    "underlying": (
        "underlyingsymbol", "underlying", "underlyingticker", "actsymbol", "symbol", "ticker", "stock", "under",
    ),
    "contract": ("contractsymbol", "optionsymbol", "optionroot", "occsymbol", "osi", "contract", "contractid",
                 "contractname", "optionid", "option", "symbol", "ticker"),
    "spot": (
        "underlyinglast", "underlyingprice", "underlyingclose", "spot", "spotprice", "stockprice",
        "activeunderlyingprice", "underlyingmid", "underlyingbid1545", "underlyingbideod", "underlyingbid", "undprice",
        "stkpx", "underlyingvalue",
    ),
    "expiry": (
        "expiration", "expirationdate", "expiry", "expirydate", "expiredate", "expirdate", "expdate", "exdate",
        "maturity", "maturitydate", "lasttradingday",
    ),
    "strike": ("strike", "strikeprice", "k", "strk"),
    "side": (
        "type", "optiontype", "right", "optionright", "cp", "cpflag", "callput", "putcall", "callorput", "contracttype",
        "pc", "kind", "side",
    ),
    "volatility": (
        "impliedvolatility", "impliedvol", "iv", "impvol", "impliedvolatility1545", "midiv", "impliedvolatilitymid",
        "smvvol", "markiv", "ivmid", "volatility",
    ),
    "open_interest": ("openinterest", "openint", "oi", "contractsopen", "openinterestcontracts"),
    "volume": ("volume", "tradevolume", "vol", "optionvolume", "contractvolume", "tradedvolume", "dayvolume"),
}  # fmt: skip
"""The names of each column that is read, the most telling first."""

OPTIONAL = frozenset({"time_of_day", "underlying", "contract"})
"""Columns that a file may do without."""

IN_CONTRACT = frozenset({"underlying", "expiry", "side", "strike"})
"""What the symbol of a contract says too: `SPXW190426C00800000`."""


def find_columns(titles: Sequence[str]) -> dict[str, int]:
    """Return the index of each column by its meaning; a column that a more telling name has taken counts once."""
    indices: dict[str, int] = {}
    for index, title in enumerate(titles):
        indices.setdefault(compact(title), index)
    found: dict[str, int] = {}
    for meaning, names in NAMES.items():
        name = next((name for name in names if name in indices and indices[name] not in found.values()), None)
        if name is not None:
            found[meaning] = indices[name]
    return found


def missing_columns(found: Mapping[str, int]) -> list[str]:
    """Return the columns that a file does not have and cannot do without."""
    needed = NAMES.keys() - OPTIONAL - (IN_CONTRACT if "contract" in found else set())
    return [meaning for meaning in NAMES if meaning in needed - found.keys()]
