"""A chain of decisions as a graph: columns of decisions from causes to consequences, and lines between them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, COLUMN, ROW, MARGIN = 176, 44, 216, 56, 8
_MAX_ROWS = 12


@dataclass(frozen=True, slots=True)
class Node:
    """A decision at a place; `x` and `y` are its upper left corner in CSS pixels."""

    decision: Mapping[str, Any]
    x: int
    y: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a parent's right side to a child's left side."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The drawing, its size, and how many decisions did not fit."""

    nodes: list[Node]
    edges: list[Edge]
    width: int
    height: int
    left_out: int


def chain_graph(decision: Mapping[str, Any], chain: Iterable[Mapping[str, Any]]) -> Graph | None:
    """The graph of a decision with its ancestors at the left and its descendants at the right; None if it has none."""
    columns: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    columns[0] = [decision]
    left_out = 0
    for one in chain:
        if one["relation"] not in ("ancestor", "descendant"):
            continue
        column = columns[-one["distance"] if one["relation"] == "ancestor" else one["distance"]]
        if len(column) < _MAX_ROWS:
            column.append(one)
        else:
            left_out += 1
    if len(columns) == 1:
        return None
    order = sorted(columns)
    tallest = max(map(len, columns.values()))
    nodes = {
        one["decision_id"]: Node(
            one,
            MARGIN + number * COLUMN,
            MARGIN + row * ROW + (tallest - len(columns[at])) * ROW // 2,
            one["decision_id"] == decision["decision_id"],
        )
        for number, at in enumerate(order)
        for row, one in enumerate(columns[at])
    }
    edges = [
        Edge(parent.x + WIDTH, parent.y + HEIGHT // 2, node.x, node.y + HEIGHT // 2)
        for node in nodes.values()
        for parent in map(nodes.get, node.decision.get("parent_ids") or ())
        if parent is not None
    ]
    width = 2 * MARGIN + (len(order) - 1) * COLUMN + WIDTH
    return Graph(list(nodes.values()), edges, width, 2 * MARGIN + tallest * ROW - (ROW - HEIGHT), left_out)
