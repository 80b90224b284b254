"""Writes docs/benchmarks.md and its plot from results.json."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
PAGE = _ROOT / "docs" / "benchmarks.md"
PLOT = _ROOT / "docs" / "images" / "benchmarks.png"
_MET, _MISSED, _NO_GOAL = "#2a7f62", "#c1442e", "#5b6b7a"

Row = Mapping[str, Any]


def write_page(results: Mapping[str, Any], sections: Iterable[str]) -> None:
    """Write the page and the plot, from the results by section; `sections` are those that there are."""
    rows: Sequence[Row] = [row for section in results.values() for row in section["rows"]]
    measured = [row for row in rows if "left_out" not in row]
    _plot(measured)
    goals = [row for row in measured if row["goal"] is not None]
    met = sum(row["met"] for row in goals)
    runs = [f"{name} on {one['date']}, Python {one['python']}, {one['machine']}" for name, one in results.items()]
    PAGE.write_text(
        f"""# Benchmarks

`make bench` measures everything on this page and writes it, with [results.json](../benchmarks/results.json).
{met} of {len(goals)} goals are met. A section can be run alone (`make bench BENCH_ARGS=peers`). These are the runs:

{"".join(f"- {one}{chr(10)}" for one in runs)}
Times are of the processor unless a row says otherwise: what other programs on the machine do disturbs them least.
Those of peers were taken in the same run. Counts are the same on every machine: `make bench-quick`
takes them alone, and fails if one misses a goal that it met. DynamoDB is an emulator, a recording of one, or a
simulation, so that no row contains the time of a network.

![The results by their goals](images/benchmarks.png)

## Counts and times

{_goals_table([row for row in measured if _is_own(row)])}

## Beside peers

The same work, each peer in an environment of its own. CPU time; below 1 this package is faster.

{_peers_table([row for row in measured if not _is_own(row)])}

## Left out

{_left_out([row for row in rows if "left_out" in row], [name for name in sections if name not in results])}
""",
        encoding="utf-8",
    )


def _is_own(row: Row) -> bool:
    """Whether a row has a goal, or no peer; the others only compare."""
    return row["goal"] is not None or row["peer"] is None


def _goals_table(rows: Sequence[Row]) -> str:
    lines = ["| measured | unit | result | beside | goal | met |", "| --- | --- | --: | --- | --: | --- |"]
    for row in rows:
        beside = "" if row["ratio"] is None else f"{row['ratio']:.2f} × {row['peer']}"
        result = _number(row["ours"])
        lines.append(f"| {row['name']} | {row['unit']} | {result} | {beside} | {_goal(row)} | {_state(row)} |")
    return "\n".join(lines)


def _goal(row: Row) -> str:
    if row["goal"] is None:
        return ""
    sign = "≥" if row["at_least"] else "≤"
    return f"{sign} {_number(row['goal'])}{' ×' if row['goal_of'] == 'ratio' else ''}"


def _state(row: Row) -> str:
    return {True: "yes", False: "**no**", None: ""}[row["met"]]


def _peers_table(rows: Sequence[Row]) -> str:
    lines = ["| work | peer | ours, ms | peer's, ms | ratio |", "| --- | --- | --: | --: | --: |"]
    lines += [
        f"| {row['name']} | {row['peer']} | {_number(row['ours'])} | {_number(row['of_peer'])} | {row['ratio']:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _left_out(rows: Sequence[Row], sections: Sequence[str]) -> str:
    lines = [f"- {row['name']}: {row['left_out']}." for row in rows]
    lines += [f"- The section {name} was not run: `make bench BENCH_ARGS={name}`." for name in sections]
    return "\n".join(lines) or "Nothing."


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004


def _plot(rows: Sequence[Row]) -> None:
    """How far each result is from its goal, and from its peers."""
    import matplotlib as mpl  # noqa: PLC0415  takes a second

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415
    from matplotlib.ticker import NullFormatter, ScalarFormatter  # noqa: PLC0415

    own = [(_label(row), _share_of_goal(row), row["met"]) for row in rows if row["goal"]]
    compared = [(f"{row['name']}: {row['peer']}", row["ratio"], None) for row in rows if not _is_own(row)]
    heights = [len(own) + 1, len(compared) + 1]
    figure, axes = plt.subplots(2, 1, figsize=(11, 0.24 * sum(heights) + 1.6), height_ratios=heights)
    for axis, points, title in (
        (axes[0], own, "Share of the goal that is used: to the left of 1 the goal is met"),
        (axes[1], compared, "CPU time beside peers: to the left of 1 this package is faster"),
    ):
        values = [max(one[1], 0.001) for one in points]
        colors = [{True: _MET, False: _MISSED, None: _NO_GOAL}[one[2]] for one in points]
        axis.hlines(range(len(points)), 1, values, color=colors, linewidth=2)
        axis.scatter(values, range(len(points)), color=colors, s=28, zorder=3)
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_yticks(range(len(points)), [one[0] for one in points])
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_ylim(max(len(points), 1) - 0.5, -0.5)
        axis.set_title(title, fontsize=10, loc="left")
        axis.tick_params(labelsize=7.5)
        axis.grid(axis="x", color="#dddddd", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PLOT, dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def _label(row: Row) -> str:
    return f"{row['name']}, {row['unit']}"


def _share_of_goal(row: Row) -> float:
    value = row["ours"] if row["goal_of"] == "ours" else row["ratio"]
    share: float = row["goal"] / value if row["at_least"] else value / row["goal"]
    return share
