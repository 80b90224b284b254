"""Filter expressions, so that DynamoDB returns only the decisions that may meet a selection's conditions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

A filter never leaves out a decision that meets the conditions, nor an item that cannot be judged: one whose context is
in the bucket, or damaged. The caller checks what is returned once more, by the rule of all stores.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from agent_memory.ports.decisions import Selection
from agent_memory.storage.dynamodb.attribute_values import AttributeValue, encode

_MAX_EXPRESSION, _MAX_OPERATORS = 4_000, 250
"""DynamoDB accepts 4,096 bytes and 300 operators and functions."""
_MAX_LEVELS = 28
"""DynamoDB accepts 32 levels, of which the context, its market and its member are three."""
_MAX_MEMBERS = 30
"""The members of an object, or the items of a list, that a filter compares."""
_MAX_DIGITS = 38

_OPERATORS = (" AND ", " OR ", "NOT ", " = ", " <> ", " IN ", "attribute_", "size(")


@dataclass(frozen=True, slots=True)
class Filter:
    """The expression of a filter, with its names and values."""

    expression: str
    names: dict[str, str]
    values: dict[str, AttributeValue]


def filter_of(selection: Selection) -> Filter | None:
    """The filter for the partitions of a selection's type; None if it selects all that they have."""
    tokens = _Tokens()
    clauses = _within_limits(_clauses(tokens, selection))
    if not clauses:
        return None
    expression = " AND ".join(clauses)
    return Filter(expression, tokens.used_names(expression), tokens.used_values(expression))


@dataclass(slots=True)
class _Tokens:
    """The placeholders of names and values; each ends with `_`, so that none begins another."""

    _names: dict[str, str] = field(default_factory=dict)
    _values: dict[tuple[str, Any], str] = field(default_factory=dict)

    def name(self, name: str) -> str:
        return self._names.setdefault(name, f"#f{len(self._names)}_")

    def value(self, kind: str, raw: Any) -> str:
        return self._values.setdefault((kind, raw), f":f{len(self._values)}_")

    def has_type(self, path: str, kind: str) -> str:
        return f"attribute_type({path}, {self.value('S', kind)})"

    def used_names(self, expression: str) -> dict[str, str]:
        return {token: name for name, token in self._names.items() if token in expression}

    def used_values(self, expression: str) -> dict[str, AttributeValue]:
        return {token: {kind: raw} for (kind, raw), token in self._values.items() if token in expression}


def _clauses(tokens: _Tokens, selection: Selection) -> Iterator[str]:
    """The conditions, all of which have to be met."""
    if selection.is_pending:
        yield f"(NOT {tokens.has_type(tokens.name('success'), 'BOOL')})"
    if selection.success is not None:
        success, other = tokens.name("success"), tokens.value("BOOL", not selection.success)
        yield f"(attribute_exists({success}) AND {success} <> {other})"
    for name, condition in (selection.context or {}).items():
        yield _of_context(tokens, name, condition)


def _of_context(tokens: _Tokens, name: str, condition: Any) -> str:
    """The condition that the context, or else its market, has a member that meets a condition."""
    context, market = tokens.name("context"), tokens.name("market")
    own, inner = f"{context}.{tokens.name(name)}", f"{context}.{market}.{tokens.name(name)}"
    in_market = f"attribute_not_exists({own}) AND {_meets(tokens, inner, condition, _MAX_LEVELS)}"
    is_unknown = f"NOT {tokens.has_type(context, 'M')}"
    return f"({is_unknown} OR {_meets(tokens, own, condition, _MAX_LEVELS)} OR ({in_market}))"


def _meets(tokens: _Tokens, path: str, condition: Any, levels: int) -> str:
    """The rule of `core.conditions.meets` as an expression; what is too large for one is left out."""
    if levels == 0:
        return f"attribute_exists({path})"
    if isinstance(condition, Mapping):
        members = [(f"{path}.{tokens.name(name)}", one) for name, one in islice(condition.items(), _MAX_MEMBERS)]
        met = [_meets(tokens, member, one, levels - 1) for member, one in members]
        return _all(met) if met else tokens.has_type(path, "M")
    if isinstance(condition, list | tuple):
        is_as_long = f"size({path}) = {tokens.value('N', str(len(condition)))}"
        met = [_meets(tokens, f"{path}[{n}]", one, levels - 1) for n, one in enumerate(condition[:_MAX_MEMBERS])]
        return _all([tokens.has_type(path, "L"), is_as_long, *met])
    if condition is None:
        return tokens.has_type(path, "NULL")
    if isinstance(condition, int | float) and not isinstance(condition, bool):
        return f"{path} IN ({', '.join([tokens.value('N', one) for one in _number_texts(condition)])})"
    ((kind, raw),) = encode(condition)[0].items()
    return f"{path} = {tokens.value(kind, raw)}"


def _all(conditions: Sequence[str]) -> str:
    """All of several conditions; DynamoDB refuses parentheses that are not needed."""
    return f"({' AND '.join(conditions)})" if len(conditions) > 1 else conditions[0]


def _number_texts(number: float) -> list[str]:
    """The different numbers as which DynamoDB has those that equal this one in Python.

    A float is stored by its shortest text. From 2^53 on, that need not be its exact value, which is the integer that
    equals it.
    """
    texts = [encode(number)[0]["N"]]
    if number == int(number) and float(number) == number:
        texts.append(str(Decimal(repr(float(number)))))
        exact = str(int(number))
        if len(exact.strip("-0")) <= _MAX_DIGITS:
            texts.append(exact)
    return list({Decimal(one): one for one in texts}.values())


def _within_limits(clauses: Iterable[str]) -> list[str]:
    """The clauses that fit into one expression; those that do not are left to the caller's own check."""
    kept: list[str] = []
    size = operators = 0
    for clause in clauses:
        clause_size = len(clause) + len(" AND ")
        clause_operators = sum(map(clause.count, _OPERATORS)) + 1
        if size + clause_size <= _MAX_EXPRESSION and operators + clause_operators <= _MAX_OPERATORS:
            kept.append(clause)
            size, operators = size + clause_size, operators + clause_operators
    return kept
