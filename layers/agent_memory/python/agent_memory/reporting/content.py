"""The page's content, computed from the report: headings that state the result, and the rows of the plots."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.reporting.formatting import context, count, dollars, name, percent, plural
from agent_memory.reporting.interval_plot import Estimate, Panel

Report = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TypeTotals:
    """The totals of one decision type."""

    name: str
    decisions: int
    with_outcome: int
    succeeded: int

    @property
    def success_rate(self) -> float | None:
        """Succeeded divided by those with an outcome; None without any."""
        return self.succeeded / self.with_outcome if self.with_outcome else None


def totals_by_type(report: Report) -> dict[str, TypeTotals]:
    """Every decision type's totals over the whole range, the most frequent first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in report["decisions_per_day"]:
        sums[row["decision_type"]][0] += row["decisions"]
        sums[row["decision_type"]][1] += row["with_outcome"]
        sums[row["decision_type"]][2] += row["succeeded"]
    ordered = sorted(sums.items(), key=lambda item: -item[1][0])
    return {decision_type: TypeTotals(decision_type, *total) for decision_type, total in ordered}


def with_outcomes(rows: Sequence[Row]) -> list[Row]:
    """The rows with at least one outcome."""
    return [row for row in rows if row["with_outcome"]]


MAX_CONTEXTS = 14


def context_panels(report: Report) -> list[Panel]:
    """One panel per decision type, with the same contexts in each, the highest rate first.

    Beyond `MAX_CONTEXTS`, the contexts with the fewest outcomes are left out.
    """
    rows = with_outcomes(report["success_by_context"])
    cells = {(row["context_type"], row["decision_type"]): row for row in rows}
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        totals[row["context_type"]][0] += row["with_outcome"]
        totals[row["context_type"]][1] += row["succeeded"]
    largest = sorted(totals, key=lambda key: -totals[key][0])[:MAX_CONTEXTS]
    contexts = sorted(largest, key=lambda key: -totals[key][1] / totals[key][0])
    types = totals_by_type(report)
    shown = [key for key in types if any(row["decision_type"] == key for row in rows)]
    shown += sorted({row["decision_type"] for row in rows} - set(shown))
    return [
        Panel(
            title=name(decision_type).capitalize(),
            rows=[_estimate(context(key), cells.get((key, decision_type))) for key in contexts],
            reference=types[decision_type].success_rate if decision_type in types else None,
            reference_label=_overall(types.get(decision_type)),
        )
        for decision_type in shown
    ]


def count_contexts_left_out(report: Report) -> int:
    """The number of contexts that `context_panels` leaves out."""
    contexts = {row["context_type"] for row in with_outcomes(report["success_by_context"])}
    return max(0, len(contexts) - MAX_CONTEXTS)


def _overall(totals: TypeTotals | None) -> str:
    return f"all {percent(totals.success_rate)}" if totals is not None and totals.success_rate is not None else ""


def _estimate(label: str, row: Row | None) -> Estimate:
    if row is None:
        return Estimate(label, None, None, None)
    note = f"n = {count(row['with_outcome'])}"
    return Estimate(label, row["success_rate"], row["low"], row["high"], note=note)


def source_panel(report: Report) -> Panel:
    """The sources, the highest rate first, against the rate of all decisions that used any source."""
    rows = sorted(with_outcomes(report["success_by_source"]), key=lambda row: -row["success_rate"])
    overall = report["success_with_source"]["success_rate"]
    return Panel(
        title="",
        rows=[_estimate(name(row["source"]), row) for row in rows],
        reference=overall,
        reference_label=f"any source {percent(overall)}" if overall is not None else "",
    )


def active_patterns(report: Report) -> list[Row]:
    """Patterns that are neither emerging nor deprecated, in the report's order."""
    return [row for row in report["patterns"] if row["status"] not in {"deprecated", "emerging"}]


def emerging_patterns(report: Report) -> list[Row]:
    """Patterns that the newest decisions have not confirmed yet, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "emerging"]


def deprecated_patterns(report: Report) -> list[Row]:
    """Patterns that no longer hold, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "deprecated"]


def pattern_panel(report: Report) -> Panel:
    """The active patterns, each against its own base rate."""
    return Panel(
        title="",
        rows=[
            Estimate(
                label=_condition(row["description"]),
                rate=row["success_rate"],
                low=row["low"],
                high=row["high"],
                reference=row["base_rate"],
                note=f"n = {count(row['sample_size'])}",
            )
            for row in active_patterns(report)
        ],
    )


def _condition(description: str) -> str:
    """The part of a description before the numbers, which the plot shows itself."""
    condition, _, numbers = description.rpartition(": ")
    return condition if condition and "succeeded" in numbers else description


def count_differing(panels: Sequence[Panel]) -> tuple[int, int]:
    """The number of rates whose interval excludes their reference, and the number of all rates."""
    rows = [(row, panel.reference) for panel in panels for row in panel.rows if row.rate is not None]
    return sum(row.differs_from(reference) for row, reference in rows), len(rows)


def differing_heading(panels: Sequence[Panel], rates: str, reference: str) -> str:
    """`7 of 36 rates by context differ from that of their type`."""
    differing, total = count_differing(panels)
    if differing == 0:
        return f"None of {count(total)} {rates} differs from {reference}"
    verb = "differs" if differing == 1 else "differ"
    return f"{count(differing)} of {count(total)} {rates} {verb} from {reference}"


def alternative_text(panels: Sequence[Panel], subject: str) -> str:
    """The plot as text, for readers who cannot see it: every rate with its interval."""
    sentences = []
    for panel in panels:
        compared = f" ({panel.reference_label})" if panel.reference_label else ""
        rows = ", ".join(_row_text(row) for row in panel.rows if row.rate is not None)
        sentences.append(f"{panel.title or subject}{compared}: {rows}.")
    return f"{subject}. " + " ".join(sentences) if any(panel.title for panel in panels) else sentences[0]


def _row_text(row: Estimate) -> str:
    ends = f", {percent(row.low)} to {percent(row.high)}" if row.low is not None and row.high is not None else ""
    base = f", base {percent(row.reference)}" if row.reference is not None else ""
    return f"{row.label} {percent(row.rate)}{ends}{base}"


def patterns_heading(report: Report) -> str:
    """`6 active patterns, 2 emerging, 1 deprecated`."""
    if not report["patterns"]:
        return "No pattern has been learned yet"
    heading = plural(len(active_patterns(report)), "active pattern")
    for status, patterns in (("emerging", emerging_patterns(report)), ("deprecated", deprecated_patterns(report))):
        if patterns:
            heading += f", {count(len(patterns))} {status}"
    return heading


def reliability_sentences(report: Report) -> tuple[str, str]:
    """How many forecasts came true, as a heading, and a sentence that says how they were evaluated."""
    reliability = report["reliability"]
    forecasts, came_true = reliability["forecasts"], reliability["came_true"]
    method = (
        f"The newer part of the record was divided into {count(reliability['stretches'])} segments. Before each, "
        "patterns were searched in all earlier decisions, and each pattern forecast the probability that its decisions "
        "would continue to succeed more often, or less often, than the rest of their type."
    )
    if not forecasts:
        return "No pattern has made a forecast yet", method
    brier, base = reliability["brier"], reliability["brier_of_base_rate"]
    heading = f"{count(came_true)} of {plural(forecasts, 'forecast')} came true"
    if base == 0:  # they all came true, or none did: hindsight has no error
        comparison = "which only hindsight could improve on, since all forecasts had the same result."
    else:
        comparison = (
            f"{'better' if brier < base else 'no better'} than {base:.3f}, the score of always forecasting the share "
            "that came true, which is known in hindsight only."
        )
    sentence = f"{method} The Brier score, where 0 is best, is {brier:.3f}, {comparison}"
    return f"{heading}, {count(reliability['stated'])} expected", sentence


def control_sentences(report: Report) -> tuple[str, str]:
    """What the negative control found, as a heading, and a sentence that says how it was run."""
    control = report.get("control") or {}
    shuffles = control.get("shuffles") or 0
    if not shuffles:
        return (
            "The control has not been run",
            "It repeats the search with shuffled outcomes, where any pattern found is due to chance.",
        )
    promoted = control.get("promoted") or 0
    heading = (
        "The same search finds nothing in shuffled outcomes"
        if promoted == 0
        else f"The same search finds {plural(promoted, 'pattern')} in shuffled outcomes"
    )
    tested = plural(control.get("candidates_tried") or 0, "candidate")
    times = "once" if shuffles == 1 else f"{count(shuffles)} times"
    found = len(active_patterns(report))
    with_true_outcomes = "one pattern was" if found == 1 else f"{count(found) if found else 'no'} patterns were"
    sentence = (
        f"The outcomes were shuffled among the decisions {times}, and the whole search was repeated each time: "
        f"{tested} tested, {count(promoted)} confirmed. With the true outcomes, {with_true_outcomes} confirmed. "
    )
    conclusion = "Anything found in shuffled outcomes is due to chance"
    if promoted == 0 and found:
        conclusion += ", so chance alone is a poor explanation of the patterns above"
    return heading, f"{sentence}{conclusion}."


def cost_heading(report: Report) -> str:
    """`A month would cost $17.82`."""
    if not report["cost"]["lines"]:
        return "No cost was estimated"
    return f"A month would cost {dollars(report['cost']['total_usd'])}"
