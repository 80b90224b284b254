"""The performance report as tables for the terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent_memory.reporting.content import points
from agent_memory.reporting.formatting import condition

Report = Mapping[str, Any]

_MAX_CONTEXTS = 12
_MAX_PATTERNS = 10
_TYPE_ORDER = ("SIGNAL_GENERATION", "SOURCE_SELECTION", "QUERY", "LEARNING")


def report_tables(report: Report) -> RenderableType:
    """Return all tables of a performance report, one below the other."""
    return Group(*_spaced(_tables(report)))


def _tables(report: Report) -> Iterator[RenderableType]:
    yield totals_line(report)
    if report["success_by_type"]:
        yield type_table(report["success_by_type"])
    if report["success_by_source"]:
        yield source_table(report["success_by_source"])
    if report["success_by_context"]:
        yield context_table(report["success_by_context"])
    yield pattern_table(report["patterns"]) if report["patterns"] else Text("No patterns learned yet.", style="yellow")
    if report.get("reliability"):
        yield reliability_line(report["reliability"])
    if report.get("control"):
        yield control_line(report["control"])
    if report.get("influence"):
        yield influence_line(report["influence"])
    if report.get("experiments"):
        yield experiment_table(report["experiments"])
    yield level_table(report["levels"])
    if report.get("cost"):
        yield cost_table(report["cost"])


def totals_line(report: Report) -> Text:
    """Return the number of decisions, and of those with an outcome."""
    totals = report["totals"]
    line = Text()
    line.append(f"{totals['decisions']:,}", style="bold").append(" decisions, ")
    line.append(f"{totals['with_outcome']:,}", style="bold").append(" with outcome")
    return line


def type_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return success by decision type; success means something else for each, so that there is no rate of all."""
    table = _table("Success by decision type", "95 % intervals")
    _columns(table, "Decision", right=("Decisions", "Outcomes", "Success", "Interval"))
    for row in sorted(rows, key=lambda row: _rank(row["decision_type"])):
        table.add_row(_words(row["decision_type"]), f"{row['decisions']:,}", *_success(row))
    return table


def source_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return how often each source was right, the best first, or how often selections of it succeeded."""
    is_judged = rows[0]["measured_by"] == "outcome"
    caption = "how often it was right" if is_judged else "selections that succeeded; no source was judged"
    table = _table("Success by source", f"{caption}, 95 % intervals")
    _columns(table, "Decision", "Source", right=("Outcomes", "Success", "Interval"))
    for row in rows:
        table.add_row(_words(row["decision_type"]), row["source"], *_success(row))
    return table


def context_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return success by market context and decision type, largest samples first, signals before other types."""
    table = _table("Success by market context", "95 % intervals")
    _columns(table, "Decision", "Context", right=("Outcomes", "Success", "Interval"))
    shown = sorted(rows, key=lambda row: (_rank(row["decision_type"]), -row["with_outcome"]))[:_MAX_CONTEXTS]
    for row in shown:
        context = row["context_type"].replace("|", ", ").replace("=", " ")
        table.add_row(_words(row["decision_type"]), context, *_success(row))
    _note_omitted(table, len(rows) - len(shown), "context")
    return table


def pattern_table(patterns: Sequence[Mapping[str, Any]]) -> Table:
    """Return the learned patterns, most confident first."""
    counts = Counter(str(pattern["status"]) for pattern in patterns)
    numbers = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    table = _table("Learned patterns", f"{numbers}; they succeed more or less often than the rest")
    table.add_column("Pattern", ratio=1)
    _columns(table, right=("Success", "Otherwise", "Samples", "Confidence", "Status"))
    shown = sorted(patterns, key=lambda pattern: (pattern["status"] != "active", -(pattern["confidence"] or 0.0)))[
        :_MAX_PATTERNS
    ]
    for pattern in shown:
        better = (pattern["success_rate"] or 0.0) >= (pattern["base_rate"] or 0.0)
        table.add_row(
            condition(pattern["description"]),
            Text(_percent(pattern["success_rate"]), style="green" if better else "red"),
            _percent(pattern["base_rate"]),
            _count(pattern["sample_size"]),
            _certainty(pattern["confidence"]),
            pattern["status"],
        )
    _note_omitted(table, len(patterns) - len(shown), "pattern")
    return table


def reliability_line(reliability: Mapping[str, Any]) -> Text:
    """Return how many of the patterns' forecasts came true."""
    forecasts = reliability["forecasts"]
    if not forecasts:
        return Text.assemble(("Forecasts: ", "bold"), "no pattern has made a forecast yet.")
    return Text.assemble(
        ("Forecasts: ", "bold"),
        f"{reliability['came_true']} of {forecasts} came true, {reliability['stated']:.0f} were expected to; "
        f"Brier score {reliability['brier']:.3f}, that of the base rate {reliability['brier_of_base_rate']:.3f}.",
    )


def control_line(control: Mapping[str, Any]) -> Text:
    """Return what the same learning finds in shuffled outcomes, where there is nothing to find."""
    found = control["promoted"]
    patterns = f"{found} pattern{'' if found == 1 else 's'}"
    return Text.assemble(
        ("Control: ", "bold"),
        f"with outcomes shuffled {control['shuffles']} times, ",
        (patterns, "yellow" if found else "green"),
        f" of {control['candidates_tried']:,} candidates {'was' if found == 1 else 'were'} promoted.",
    )


def influence_line(influence: Mapping[str, Any]) -> Text:
    """Return how many selections rest on memory, what it added to their success, and by which memories."""
    if not influence["selections"]:
        return Text.assemble(("Memory: ", "bold"), "no selection has been judged yet.")
    line = Text.assemble(("Memory: ", "bold"))
    line.append(f"{influence['influenced']:,} of {influence['selections']:,} selections rest on it")
    if influence["influenced_share_later"] is not None:
        line.append(f", {_percent(influence['influenced_share_later'])} after {influence['learned_days']} nightly jobs")
    line.append(f"; {influence['changed']:,} would be others without it. It added {points(influence)} of success.")
    earned = influence["by_memory"]
    for name, one in (("Best", earned[0]), ("Worst", earned[-1])) if len(earned) > 1 else ():
        line.append(f" {name}: {one['memory_id']}, {100 * one['uplift']:+.1f}.")
    return line


def experiment_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return what experiments that withhold memory have shown."""
    table = _table("Experiments that withhold memory", "always-valid 95 % intervals")
    _columns(table, "Experiment", "Decision", "Status", right=("With", "Without", "Memory added"))
    for row in rows:
        table.add_row(
            row["name"],
            _words(row["decision_type"]),
            row["status"],
            f"{row['memory']['decisions']:,}",
            f"{row['holdout']['decisions']:,}",
            points(row),
        )
    return table


def level_table(levels: Sequence[Mapping[str, Any]]) -> Table:
    """Return where the decisions are stored, by memory level."""
    table = _table("Where the data is stored")
    _columns(table, "Level", "Store", "Age", right=("Decisions", "Keys", "Oldest", "Newest"))
    for level in levels:
        entries = level.get("entries")
        table.add_row(
            level["level"],
            level["store"],
            level["age"],
            f"{level['decisions']:,}",
            "" if entries is None else _count(entries),
            _minute(level["oldest"]),
            _minute(level["newest"]),
        )
    return table


def cost_table(cost: Mapping[str, Any]) -> Table:
    """Return the cost of a month on AWS."""
    table = _table("Cost of a month on AWS", f"{cost['scenario']}; prices of {cost['price_date']}")
    _columns(table, "Service", "Usage", right=("USD per month",))
    for line in cost["lines"]:
        table.add_row(line["service"], line["usage"], f"{line['monthly_usd']:.2f}")
    table.add_section()
    table.add_row("Total", "", f"{cost['total_usd']:.2f}", style="bold")
    return table


def _table(title: str, caption: str | None = None) -> Table:
    heading = Text(title, style="bold cyan")
    if caption:
        heading.append(f"  {caption}", style="dim not bold")
    return Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption_justify="left")


def _columns(table: Table, *left: str, right: Sequence[str] = ()) -> None:
    """Add columns; in a narrow terminal text wraps, numbers do not."""
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)


def _success(row: Mapping[str, Any]) -> tuple[str, str, str]:
    if not row["with_outcome"]:
        return "0", "-", "-"
    return f"{row['with_outcome']:,}", _percent(row["success_rate"]), _interval(row)


def _note_omitted(table: Table, count: int, what: str) -> None:
    if count > 0:
        table.caption = Text(f"and {count:,} more {what}{'s' if count > 1 else ''} in the report", style="dim")


def _rank(decision_type: str) -> tuple[int, str]:
    known = decision_type in _TYPE_ORDER
    return (_TYPE_ORDER.index(decision_type) if known else len(_TYPE_ORDER), decision_type)


def _words(decision_type: str) -> str:
    return decision_type.replace("_", " ").lower()


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:,}"


def _certainty(confidence: float | None) -> str:
    if confidence is None:
        return "-"
    return "> 0.99" if confidence > 0.99 else f"{confidence:.2f}"  # noqa: PLR2004  two digits are shown


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _interval(row: Mapping[str, Any]) -> str:
    return f"{100 * row['low']:.1f} - {100 * row['high']:.1f} %"


def _minute(iso: str | None) -> str:
    return iso[5:16].replace("T", " ") if iso else "-"


def _spaced(parts: Iterator[RenderableType]) -> Iterator[RenderableType]:
    for part in parts:
        yield part
        yield Text()
