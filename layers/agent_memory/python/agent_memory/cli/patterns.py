"""`agent-memory patterns`: the learned patterns of an agent, and how their confidence has changed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Protocol

import typer

from agent_memory.cli.groups import Commands
from agent_memory.cli.options import Agent, StoreOptions
from agent_memory.cli.output import Output, table
from agent_memory.client.connect import HttpApi
from agent_memory.core.errors import NotFound
from agent_memory.memory.agent_memory import AgentMemory
from agent_memory.model.listings import Listing

_RATES = {"rate": 5, "low": 5, "high": 5, "base rate": 9, "decisions": 9}
_COLUMNS = {"pattern": 36, "status": 10, "confidence": 10, **_RATES, "description": 0}
_TREND_COLUMNS = {"time": 24, "version": 7, "status": 10, "confidence": 10, **_RATES}

patterns = Commands("Read the patterns that an agent has learned.")

PatternId = Annotated[str, typer.Argument(metavar="PATTERN", help="The pattern's id.")]


class Status(StrEnum):
    """How sure a pattern is."""

    ACTIVE = "active"
    EMERGING = "emerging"
    DEPRECATED = "deprecated"


class _Figures(Protocol):
    def patterns(self, *, status: str | None, min_occurrences: int) -> Listing[dict[str, Any]]: ...

    def confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]: ...


@patterns.command("list")
def list_(
    *,
    agent: Agent,
    status: Annotated[Status | None, typer.Option(help="Only patterns with this status.", show_default="all")] = None,
    min_occurrences: Annotated[
        int, typer.Option(min=0, metavar="N", help="Only patterns that rest on at least this many decisions.")
    ] = 0,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print an agent's own patterns with their figures, active ones first; this does not count as reading them.

    Exit code: 0 all of them, 1 some cannot be read, as the last lines say, 2 not done.
    """
    found = _figures(where, agent).patterns(status=status, min_occurrences=min_occurrences)
    rows = ([*_cells(one, "pattern_id", "status", "confidence"), *_rates(one), one["description"]] for one in found)
    return output.listing(found, "patterns", table(_COLUMNS, rows, "no patterns"))


@patterns.command()
def show(pattern: PatternId, *, agent: Agent, where: StoreOptions, output: Output) -> int:
    """Print the figures of one pattern."""
    for one in _figures(where, agent).patterns(status=None, min_occurrences=0):
        if one["pattern_id"] == pattern:
            output.show(one, table({"figure": 16, "value": 0}, one.items(), ""))
            return 0
    raise NotFound(f"{agent} has no pattern {pattern}")


@patterns.command()
def trend(pattern: PatternId, *, agent: Agent, where: StoreOptions, output: Output) -> int:
    """Print every version of a pattern, oldest first: its confidence and what it rests on.

    Exit code: 0 all of them, 1 some cannot be read, as the last lines say, 2 there was no such pattern.
    """
    found = _figures(where, agent).confidence_trend(pattern)
    if not found and found.complete:
        raise NotFound(f"{agent} never had a pattern {pattern}")
    rows = ([*_cells(one, "at", "version", "status", "confidence"), *_rates(one)] for one in found)
    return output.listing(found, "versions", table(_TREND_COLUMNS, rows, ""))


class _Stored:
    """The patterns in the stores of an agent."""

    def __init__(self, memory: AgentMemory) -> None:
        self._memory = memory

    def patterns(self, *, status: str | None, min_occurrences: int) -> Listing[dict[str, Any]]:
        return self._memory.pattern_figures(status=status, min_occurrences=min_occurrences)

    def confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]:
        return self._memory.confidence_trend(pattern_id)


def _figures(where: StoreOptions, agent: str) -> _Figures:
    connection = where.connection()
    if isinstance(connection, HttpApi):
        return connection.backend(agent)
    return _Stored(AgentMemory(agent, connection, connection.clock))


def _cells(one: Mapping[str, Any], *names: str) -> list[object]:
    return [one[name] for name in names]


def _rates(one: Mapping[str, Any]) -> list[object]:
    return _cells(one, "success_rate", "low", "high", "base_rate", "sample_size")
