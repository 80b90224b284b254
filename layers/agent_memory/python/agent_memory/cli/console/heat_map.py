"""What an estimate expects of each option in each situation, as the rows of a heat map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any

from agent_memory.core.errors import Damaged
from agent_memory.learning.expected_results import REWARD, SUCCESS, check_estimate, expected_result
from agent_memory.model.listings import parsed

MAX_SITUATIONS = 40


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Situations with what to expect of each option: `expected`, its 95 % interval, and its place among all.

    `shade` is from 0, the lowest expectation of the map, to 10, the highest.
    """

    pattern_id: str
    description: str
    options: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    is_rate: bool
    left_out: int


def heat_map(memory: Mapping[str, Any]) -> HeatMap | None:
    """The map of a memory of type `ESTIMATE`, by the same function as advice; None if it states no expectation."""
    result = next((one for one in (SUCCESS, REWARD) if isinstance(memory.get(one), Mapping)), None)
    if result is None or not _is_estimate(memory):
        return None
    options = [one["option"] for one in memory[result]["options"]]
    keys = [one for one in memory.get("facts", []) if one]
    combinations = list(islice(product(*keys), MAX_SITUATIONS))
    found = [
        (facts, [expected_result(memory, result, one, frozenset(facts)) for one in options]) for facts in combinations
    ]
    means = [one.mean for _, row in found for one in row]
    low, span = min(means, default=0.0), (max(means, default=0.0) - min(means, default=0.0)) or 1.0
    rows = [
        {
            "situation": ", ".join(_fact(one) for one in facts) or "any",
            "cells": [
                {
                    "expected": one.mean,
                    "low": one.low,
                    "high": one.high,
                    "is_prior": one.is_prior,
                    "shade": round(10 * (one.mean - low) / span),
                }
                for one in row
            ],
        }
        for facts, row in found
    ]
    return HeatMap(
        memory["pattern_id"],
        memory.get("description") or "",
        options,
        rows,
        result == SUCCESS,
        prod(map(len, keys)) - len(rows),
    )


def _is_estimate(memory: Mapping[str, Any]) -> bool:
    """Whether the memory has the fields of an estimate; an agent may have stored another one under such an id."""
    try:
        parsed(memory["pattern_id"], check_estimate, memory)
    except Damaged:
        return False
    return True


def _fact(fact: str) -> str:
    path, _, value = fact.partition("=")
    return f"{path.rpartition('.')[2].replace('_', ' ')} {value}"
