"""Patches of MiniStack's DynamoDB, which `emulator_main` applies.

Without them a query takes as long as its partition is large, and what an item says is parsed, measured and copied again
and again.

- Its parsers are pure functions of a text, and so are the checks and the size of a number: their results are cached.
- An item is copied several times in each write, one attribute after the other. That is left to pickle, which takes a
  third of the time: an estimate has thousands of numbers.
- A query sorts all items of a partition, and evaluates its key condition on each. Here a partition has its sort keys in
  order, so that a query gets those within its range only. The plain forms of such a condition are compared directly,
  once MiniStack has found an expression valid.
- A page measures each of its items. An item that is stored is never changed, only replaced, so that its size is
  computed once, and what an index projects of it likewise.
- The stream of a table has the items that PartiQL statements insert, as in AWS; MiniStack leaves them out.
"""

import copy
import operator
import pickle
import re
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from ministack.services import _dynamodb_keywords, dynamodb  # type: ignore[import-not-found]  # in its environment

Item = dict[str, Any]

for module, name in (
    (dynamodb, "_tokenize"),
    (dynamodb, "_condition_syntax_error"),
    (_dynamodb_keywords, "_tokenize"),
):
    parser = getattr(module, name, None)
    if parser is not None:  # another version may not have this function
        setattr(module, name, lru_cache(maxsize=1 << 14)(parser))


def _of_texts(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function, whose results for texts are kept."""
    of_text = lru_cache(maxsize=1 << 16)(function)
    return lambda value: of_text(value) if isinstance(value, str) else function(value)


for name in ("_number_error", "_ddb_canonicalize_number", "_number_size_bytes"):
    setattr(dynamodb, name, _of_texts(getattr(dynamodb, name)))


def _deepcopy(value: Any) -> Any:
    try:
        return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))  # noqa: S301  what was just written
    except (AttributeError, TypeError, pickle.PicklingError):  # a lock, or a function of its own
        return copy.deepcopy(value)


dynamodb.copy = SimpleNamespace(copy=copy.copy, deepcopy=_deepcopy)

# --- key conditions ------------------------------------------------------------------------------

_evaluate_condition = dynamodb._evaluate_condition  # noqa: SLF001
_VALID_KEY_CONDITIONS: set[str] = set()
_CLAUSE = re.compile(
    r"(?P<name>#?\w+) ?(?P<compared><=|>=|=|<|>) ?(?P<value>:\w+)"
    r"|(?P<within>#?\w+) BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)"
    r"|begins_with\((?P<beginning>#?\w+), ?(?P<prefix>:\w+)\)"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@lru_cache(maxsize=1024)
def _key_clauses(expression: str) -> list[tuple[str, Callable[[Any, Any], bool], str]] | None:
    """The comparisons that a key condition consists of: attribute, comparison, operand; None for other forms."""
    clauses: list[tuple[str, Callable[[Any, Any], bool], str]] = []
    position = 0
    while found := _CLAUSE.match(expression, position):
        if found["compared"]:
            clauses.append((found["name"], _COMPARISONS[found["compared"]], found["value"]))
        elif found["within"]:
            clauses += [(found["within"], operator.ge, found["low"]), (found["within"], operator.le, found["high"])]
        else:
            clauses.append((found["beginning"], str.startswith, found["prefix"]))
        if found.end() == len(expression):
            return clauses
        if not expression.startswith(" AND ", found.end()):
            return None
        position = found.end() + len(" AND ")
    return None


def _key(value: dict[str, str]) -> str | Decimal:
    """A value of DynamoDB's text or number type."""
    return value["S"] if "S" in value else Decimal(value["N"])


def _evaluate(expression: str, item: Item, values: Any, names: Any, slot: str = "ConditionExpression") -> Any:
    if slot != "KeyConditionExpression":
        return _evaluate_condition(expression, item, values, names, slot)
    clauses = _key_clauses(expression) if expression in _VALID_KEY_CONDITIONS else None
    if clauses is None:
        matches = _evaluate_condition(expression, item, values, names, slot)
        _VALID_KEY_CONDITIONS.add(expression)
        return matches
    try:
        return all(compare(_key(item[names.get(name, name)]), _key(values[value])) for name, compare, value in clauses)
    except (AttributeError, KeyError, TypeError):  # no such attribute, or values that cannot be compared
        return _evaluate_condition(expression, item, values, names, slot)


dynamodb._evaluate_condition = _evaluate  # noqa: SLF001

# --- partitions ----------------------------------------------------------------------------------

_LAST = "\U0010ffff"
_asked = threading.local()
"""The sort keys, from and to, that the query of this thread asks for."""


class _Partition(dict[str, Item]):
    """The items of a partition by their sort keys, which are texts."""

    def __init__(self, items: dict[str, Item]) -> None:
        super().__init__(items)
        self._order = sorted(items)

    def __setitem__(self, sort_key: str, item: Item) -> None:
        if sort_key not in self:
            insort(self._order, sort_key)
        super().__setitem__(sort_key, item)

    def pop(self, sort_key: str, *default: Any) -> Any:
        if sort_key in self:
            del self._order[bisect_left(self._order, sort_key)]
        return super().pop(sort_key, *default)

    def values(self) -> Any:
        bounds = getattr(_asked, "bounds", None)
        if bounds is None:
            return super().values()
        first, last = bisect_left(self._order, bounds[0]), bisect_right(self._order, bounds[1])
        return [self[sort_key] for sort_key in self._order[first:last]]

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


_query_all = dynamodb._query  # noqa: SLF001


def _query(data: dict[str, Any]) -> Any:
    with _bounded(data):
        return _query_all(data)


@contextmanager
def _bounded(data: dict[str, Any]) -> Iterator[None]:
    """While a query of the table itself is answered, its partition has the items within its range only."""
    bounds = _bounds_of(data)
    if bounds is not None:
        _asked.bounds = bounds
    try:
        yield
    finally:
        _asked.bounds = None


def _bounds_of(data: dict[str, Any]) -> tuple[str, str] | None:
    """The first and the last sort key that a query may find, if it is a valid one in a plain form, else None."""
    expression = data.get("KeyConditionExpression")
    clauses = _key_clauses(expression) if expression in _VALID_KEY_CONDITIONS and "IndexName" not in data else None
    table = dynamodb._tables.get(data.get("TableName")) if clauses else None  # noqa: SLF001
    if not clauses or not table or dynamodb._get_attr_type(table, table["sk_name"]) != "S":  # noqa: SLF001
        return None
    names, values = data.get("ExpressionAttributeNames") or {}, data.get("ExpressionAttributeValues") or {}
    partition, low, high = None, "", _LAST
    for name, compare, value in clauses:
        operand = values.get(value, {}).get("S")
        if operand is None:
            return None
        if names.get(name, name) == table["pk_name"]:
            partition = operand
            continue
        if compare in {operator.eq, operator.gt, operator.ge, str.startswith}:
            low = max(low, operand)
        if compare in {operator.eq, operator.lt, operator.le}:
            high = min(high, operand)
        if compare is str.startswith:
            high = min(high, operand + _LAST)
    items = table["items"]
    if partition in items and not isinstance(items[partition], _Partition):
        items[partition] = _Partition(items[partition])
    return low, high


dynamodb._query = _query  # noqa: SLF001

# --- sizes ---------------------------------------------------------------------------------------

_size_of_value = dynamodb._attribute_value_size  # noqa: SLF001
_size_of_item = dynamodb._item_size_bytes  # noqa: SLF001
_projected = dynamodb._apply_index_projection  # noqa: SLF001
_store = dynamodb._set_item  # noqa: SLF001


class _Stored(dict[str, Any]):
    """An item that is stored, or what an index has of it: it is not changed any more. A copy of it is a plain one."""

    size: int | None = None
    projections: dict[str, tuple[Any, Item]] | None = None

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _value_size(value: dict[str, Any]) -> int:
    """As MiniStack's function, which it takes for rare types, with fewer calls."""
    if len(value) != 1:
        return 0
    ((kind, inner),) = value.items()
    if kind == "S":
        return len(inner) if inner.isascii() else len(inner.encode())
    if kind == "N":
        return int(dynamodb._number_size_bytes(inner))  # noqa: SLF001
    if kind == "M":
        return 3 + sum(
            1 + (len(name) if name.isascii() else len(name.encode())) + _value_size(one) for name, one in inner.items()
        )
    if kind == "L":
        return 3 + sum(1 + _value_size(one) for one in inner)
    return int(_size_of_value(value))


def _item_size(item: Any) -> int:
    if not isinstance(item, _Stored):
        return int(_size_of_item(item))
    if item.size is None:
        item.size = int(_size_of_item(item))
    return item.size


def _projection(item: Item, table: Any, index_name: str | None) -> Item:
    if not index_name or not isinstance(item, _Stored):
        return _projected(item, table, index_name)  # type: ignore[no-any-return]  # MiniStack has no types
    index = dynamodb._index_def(table, index_name)  # noqa: SLF001
    item.projections = item.projections or {}
    known, view = item.projections.get(index_name, (None, {}))
    if known is not index:
        view = _Stored(_projected(item, table, index_name))
        item.projections[index_name] = index, view
    return view


def _set_item(table: Any, partition_key: Any, sort_key: Any, item: Item) -> Any:
    return _store(table, partition_key, sort_key, _Stored(item))


dynamodb._attribute_value_size = _value_size  # noqa: SLF001
dynamodb._item_size_bytes = _item_size  # noqa: SLF001
dynamodb._apply_index_projection = _projection  # noqa: SLF001
dynamodb._set_item = _set_item  # noqa: SLF001

# --- streams -------------------------------------------------------------------------------------

_insert = dynamodb._partiql_insert  # noqa: SLF001  there is no public name for it


def _insert_with_stream(table: dict[str, Any], parsed: dict[str, Any]) -> Any:
    response = _insert(table, parsed)
    if response[0] == HTTPStatus.OK:
        item = parsed["item"]
        written = item["M"] if set(item) == {"M"} else item
        dynamodb._emit_stream_event(table["TableName"], "INSERT", None, written)  # noqa: SLF001
    return response


dynamodb._partiql_insert = _insert_with_stream  # noqa: SLF001
