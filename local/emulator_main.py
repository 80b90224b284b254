"""Runs MiniStack with eight patches. This script is started in the emulator's own environment.

MiniStack parses an expression again for each item that it evaluates it on, and a number for each item that it measures.
Its parsers are pure functions of a text, so their results are cached here: a Query then takes a quarter of the time.

It copies an item several times in each write, one attribute after the other. Here that is left to pickle, which takes a
third of the time: an estimate has thousands of numbers.

A Query evaluates its key condition on every item of a partition. The plain forms of such a condition are
compared here directly, once MiniStack has found an expression valid: that takes an eighth of the time.

It waits 150 ms before the first state of an execution. That is left out: the response to the request is sent anyway.

When a change set imports an existing bucket into a stack (`ImportExistingResources`), MiniStack's validation of names
refuses the bucket because it exists: this validation is switched off for imports.

The stream of a table has the items that PartiQL statements insert, as in AWS; MiniStack leaves them out.

The records of a table's stream end with the process, while the positions up to which functions have read them are kept:
after a restart as many new records would be skipped. Here functions begin with the first record after it.

The process ends as soon as its state is written: threads of executions that are still under way would otherwise keep it
alive for as long as their retries last.
"""

import copy
import operator
import os
import pickle
import re
import runpy
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from ministack.services import (  # type: ignore[import-not-found]  # in the emulator's environment
    _dynamodb_keywords,
    cloudformation,
    dynamodb,
    lambda_svc,
    stepfunctions,
)
from ministack.services.cloudformation import changesets  # type: ignore[import-not-found]

for module, name in (
    (dynamodb, "_tokenize"),
    (dynamodb, "_condition_syntax_error"),
    (dynamodb, "_number_size_bytes"),
    (_dynamodb_keywords, "_tokenize"),
):
    parser = getattr(module, name, None)
    if parser is not None:  # another version may not have this function
        setattr(module, name, lru_cache(maxsize=1 << 14)(parser))


def _deepcopy(value: Any) -> Any:
    try:
        return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))  # noqa: S301  what was just written
    except (AttributeError, TypeError, pickle.PicklingError):  # a lock, or a function of its own
        return copy.deepcopy(value)


dynamodb.copy = SimpleNamespace(copy=copy.copy, deepcopy=_deepcopy)

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


def _evaluate(expression: str, item: dict[str, Any], values: Any, names: Any, slot: str = "ConditionExpression") -> Any:
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

_BEFORE_EXECUTION_SECONDS = 0.15


def _sleep(seconds: float) -> None:
    if seconds != _BEFORE_EXECUTION_SECONDS:
        time.sleep(seconds)


stepfunctions.time = SimpleNamespace(**{**vars(time), "sleep": _sleep})

_insert = dynamodb._partiql_insert  # noqa: SLF001  there is no public name for it


def _insert_with_stream(table: dict[str, Any], parsed: dict[str, Any]) -> Any:
    response = _insert(table, parsed)
    if response[0] == HTTPStatus.OK:
        item = parsed["item"]
        written = item["M"] if set(item) == {"M"} else item
        dynamodb._emit_stream_event(table["TableName"], "INSERT", None, written)  # noqa: SLF001
    return response


dynamodb._partiql_insert = _insert_with_stream  # noqa: SLF001

_restore_positions = lambda_svc._restore_esm_positions  # noqa: SLF001


def _restore_without_stream_positions(store: Any, positions: Any) -> None:
    _restore_positions(store, positions)
    if store is lambda_svc._dynamodb_stream_positions:  # noqa: SLF001
        for mapping in store._data:  # noqa: SLF001
            store._data[mapping] = 0  # noqa: SLF001


lambda_svc._restore_esm_positions = _restore_without_stream_positions  # noqa: SLF001

_deploy = changesets._deploy_stack_async  # noqa: SLF001


def _deploy_with_imports(stack_name: str, *arguments: Any, imports: Any = None, **settings: Any) -> Any:
    if imports:
        cloudformation._stacks[stack_name]["_disable_validation"] = True  # noqa: SLF001
    return _deploy(stack_name, *arguments, imports=imports, **settings)


changesets._deploy_stack_async = _deploy_with_imports  # noqa: SLF001

sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__", alter_sys=True)
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
