"""Values as Python programs pass them, each with the JSON that is stored for it, or the place of what is refused."""

from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from pydantic import BaseModel


class Side(str, Enum):  # noqa: UP042  the class that is tested
    """As written before `StrEnum`; `str(Side.BUY)` is `Side.BUY`."""

    BUY = "buy"


class Venue(StrEnum):
    BINANCE = "binance"


class Level(int, Enum):
    HIGH = 3


class Rank(IntEnum):
    FIRST = 1


class Weight(float, Enum):
    FULL = 1.0


class Regime(Enum):
    TREND = "trend"
    FLAT = 0
    MIXED = ("trend", 1)


class Model(BaseModel):
    value: Any
    side: Side = Side.BUY


@dataclass(frozen=True)
class Order:
    value: Any
    size: float = 1.0


@dataclass(frozen=True)
class Sample:
    """A value, and what is `stored`; or `refused_at`, the tokens of the pointer of the first part that is refused."""

    value: Any
    stored: Any = None
    refused_at: tuple[str, ...] | None = None


Quote = namedtuple("Quote", ["bid", "ask"])  # noqa: PYI024  as programs without types have them
UnsetField = make_dataclass("UnsetField", ["a"], slots=True)

TEXTS = [
    *("pk", "sk", "ttl", "S", "N", "M", "NULL", "__type__", "data", "version", "agent_id", "BTC/USDT", "^GSPC"),
    *("a~b", "a/b", "é", "e\u0301", "\U0001f469\u200d\U0001f680", "\x00", "\ufeff", "\u2028", " ", "a.b", "#", "交易"),
]
texts = st.sampled_from(TEXTS) | st.text()
numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.floats(-1e120, 1e120).filter(lambda x: x == 0 or abs(x) > 1e-120)
same = st.none() | st.booleans() | numbers | st.sampled_from([0, 1, 0.0, -0.0, 1.0, 10**100]) | texts

CONVERTED = [
    (Side.BUY, "buy"),
    (Venue.BINANCE, "binance"),
    (Level.HIGH, 3),
    (Rank.FIRST, 1),
    (Weight.FULL, 1.0),
    (Regime.TREND, "trend"),
    (Regime.FLAT, 0),
    (Regime.MIXED, ["trend", 1]),
    (np.True_, True),
    (np.int64(7), 7),
    (np.uint8(7), 7),
    (np.float64(1.0), 1.0),
    (np.float32(0.1), 0.10000000149011612),
    (np.str_("x"), "x"),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([0.5, 1.0]), [0.5, 1.0]),
    (np.array(["a", "b"]), ["a", "b"]),
    (np.array(True), True),
    (np.array([], dtype=float), []),
    (Quote(1, 2.0), [1, 2.0]),
    (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    (defaultdict(list, a=[1]), {"a": [1]}),
    ({Side.BUY: 1, Regime.TREND: 2, np.str_("x"): 3}, {"buy": 1, "trend": 2, "x": 3}),
]
REFUSED = [
    *(datetime(2026, 11, 20, tzinfo=UTC), date(2026, 11, 20), timedelta(1), Decimal("1.1"), UUID(int=1), b"x", {1}),
    *(frozenset(), bytearray(b"x"), memoryview(b"x"), range(3), 1j, object(), iter([]), {}.keys(), Model, int, len),
    *(float("nan"), float("inf"), 1e300, 1e-200, 10**200, -(10**39) - 1, "\ud800", "a\udfff"),
    *(np.datetime64("2026-11-20"), np.datetime64("2026-11-20", "ns"), np.timedelta64(1, "s"), np.float64("nan")),
    *(np.longdouble(1), np.complex128(1), np.array([1j]), np.zeros(1, dtype=[("a", int)]), np.bytes_(b"x")),
    *(pd.Timestamp("2026-11-20", tz="UTC"), pd.NaT, pd.NA, pd.Series([1]), pd.DataFrame({"a": [1]}), UnsetField),
    *({1: 2}, {True: 2}, {None: 2}, {"": 2}, {Rank.FIRST: 2}, {Regime.FLAT: 2}, {b"a": 2}, {("a",): 2}, {"\ud800": 2}),
]


HUGE = 10**5000
"""Refused too; apart from the others because Python cannot write it, nor can a report of a failed example."""


def _of_items(build):
    def sample(items):
        refused = next((((str(n), *one.refused_at)) for n, one in enumerate(items) if one.refused_at is not None), None)
        return Sample(build([one.value for one in items]), [one.stored for one in items], refused)

    return sample


def _of_members(build):
    def sample(members):
        refused = next(((k, *one.refused_at) for k, one in members.items() if one.refused_at is not None), None)
        values = {name: one.value for name, one in members.items()}
        return Sample(build(values), {name: one.stored for name, one in members.items()}, refused)

    return sample


def _of_field(build, **others):
    def sample(one):
        refused = None if one.refused_at is None else ("value", *one.refused_at)
        return Sample(build(one.value), {"value": one.stored, **others}, refused)

    return sample


def _nested(inner):
    items = st.lists(inner, max_size=4)
    members = st.dictionaries(texts.filter(bool), inner, max_size=4)
    lists = [items.map(_of_items(build)) for build in (list, tuple, deque, UserList)]
    mappings = [members.map(_of_members(one)) for one in (dict, UserDict, OrderedDict, MappingProxyType, ChainMap)]
    fields = [inner.map(_of_field(Order, size=1.0)), inner.map(_of_field(lambda v: Model(value=v), side="buy"))]
    return st.one_of(*lists, *mappings, *fields)


converted = st.sampled_from(CONVERTED).map(lambda pair: Sample(*pair))
unchanged = same.map(lambda value: Sample(value, value))
refused = st.sampled_from(REFUSED).map(lambda value: Sample(value, refused_at=()))
stored_samples = st.recursive(unchanged | converted, _nested, max_leaves=12)
"""Samples that are stored."""
samples = st.recursive(unchanged | converted | refused, _nested, max_leaves=12)
"""Samples that are stored or refused."""
