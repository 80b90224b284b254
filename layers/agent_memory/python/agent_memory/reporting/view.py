"""What the page says, computed from the report: headings that state what is seen, and the plots' rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.reporting.intervals import Estimate, Panel
from agent_memory.reporting.words import context, count, dollars, name, percent, plural

Report = Mapping[str, Any]
Row = Mapping[str, Any]

MOST_CONTEXTS = 14


@dataclass(frozen=True, slots=True)
class Share:
    """A decision type's part in all decisions."""

    name: str
    decisions: int
    with_outcome: int
    succeeded: int

    @property
    def success_rate(self) -> float | None:
        """Succeeded among those with an outcome; None without any."""
        return self.succeeded / self.with_outcome if self.with_outcome else None


def shares(report: Report) -> dict[str, Share]:
    """Every decision type's totals over the whole range, the most frequent first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in report["decisions_per_day"]:
        sums[row["decision_type"]][0] += row["decisions"]
        sums[row["decision_type"]][1] += row["with_outcome"]
        sums[row["decision_type"]][2] += row["succeeded"]
    ordered = sorted(sums.items(), key=lambda item: -item[1][0])
    return {decision_type: Share(decision_type, *total) for decision_type, total in ordered}


def with_outcomes(rows: Sequence[Row]) -> list[Row]:
    """Rows that rest on at least one outcome."""
    return [row for row in rows if row["with_outcome"]]


def context_panels(report: Report) -> list[Panel]:
    """One panel a decision type; the same contexts in each, those with the highest rate first.

    Beyond `MOST_CONTEXTS`, the contexts with the fewest outcomes are left out.
    """
    rows = with_outcomes(report["success_by_context"])
    cells = {(row["context_type"], row["decision_type"]): row for row in rows}
    evidence: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        evidence[row["context_type"]][0] += row["with_outcome"]
        evidence[row["context_type"]][1] += row["succeeded"]
    largest = sorted(evidence, key=lambda key: -evidence[key][0])[:MOST_CONTEXTS]
    contexts = sorted(largest, key=lambda key: -evidence[key][1] / evidence[key][0])
    types = shares(report)
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


def contexts_left_out(report: Report) -> int:
    """How many contexts `context_panels` leaves out."""
    contexts = {row["context_type"] for row in with_outcomes(report["success_by_context"])}
    return max(0, len(contexts) - MOST_CONTEXTS)


def _overall(share: Share | None) -> str:
    return f"all {percent(share.success_rate)}" if share is not None and share.success_rate is not None else ""


def _estimate(label: str, row: Row | None) -> Estimate:
    if row is None:
        return Estimate(label, None, None, None)
    note = f"n = {count(row['with_outcome'])}"
    return Estimate(label, row["success_rate"], row["low"], row["high"], note=note)


def source_panel(report: Report) -> Panel:
    """Sources, the highest rate first, against the rate of all decisions that rested on any source."""
    rows = sorted(with_outcomes(report["success_by_source"]), key=lambda row: -row["success_rate"])
    overall = report["success_with_source"]["success_rate"]
    return Panel(
        title="",
        rows=[_estimate(name(row["source"]), row) for row in rows],
        reference=overall,
        reference_label=f"any source {percent(overall)}" if overall is not None else "",
    )


def patterns_now(report: Report) -> list[Row]:
    """Patterns that hold as of the last night, in the report's order."""
    return [row for row in report["patterns"] if row["status"] not in {"deprecated", "emerging"}]


def patterns_emerging(report: Report) -> list[Row]:
    """Patterns that stand out, but that the newest decisions are too few to bear out, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "emerging"]


def patterns_before(report: Report) -> list[Row]:
    """Patterns that held once and do not any more, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "deprecated"]


def pattern_panel(report: Report) -> Panel:
    """The last night's patterns, each against its own base rate."""
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
            for row in patterns_now(report)
        ],
    )


def _condition(description: str) -> str:
    """The part of a description before the numbers that the plot itself shows."""
    condition, _, numbers = description.rpartition(": ")
    return condition if condition and "succeeded" in numbers else description


def apart(panels: Sequence[Panel]) -> tuple[int, int]:
    """How many rows stand apart from what they are compared with, and how many there are."""
    rows = [(row, panel.reference) for panel in panels for row in panel.rows if row.rate is not None]
    return sum(row.is_apart_from(reference) for row, reference in rows), len(rows)


def apart_heading(panels: Sequence[Panel], things: str, reference: str) -> str:
    """`7 of 36 rates by context stand apart from their type's`."""
    standing, total = apart(panels)
    if standing == 0:
        return f"None of {count(total)} {things} stands apart from {reference}"
    verb = "stands" if standing == 1 else "stand"
    return f"{count(standing)} of {count(total)} {things} {verb} apart from {reference}"


def description_of(panels: Sequence[Panel], subject: str) -> str:
    """The plot in words, for a reader who cannot see it: every row's rate and interval."""
    sentences = []
    for panel in panels:
        compared = f" ({panel.reference_label})" if panel.reference_label else ""
        rows = ", ".join(_in_words(row) for row in panel.rows if row.rate is not None)
        sentences.append(f"{panel.title or subject}{compared}: {rows}.")
    return f"{subject}. " + " ".join(sentences) if any(panel.title for panel in panels) else sentences[0]


def _in_words(row: Estimate) -> str:
    ends = f", {percent(row.low)} to {percent(row.high)}" if row.low is not None and row.high is not None else ""
    base = f", base {percent(row.reference)}" if row.reference is not None else ""
    return f"{row.label} {percent(row.rate)}{ends}{base}"


def patterns_heading(report: Report) -> str:
    """`6 patterns learned, 2 more emerging, 1 of earlier nights no longer holding`."""
    if not report["patterns"]:
        return "No pattern has been learned yet"
    before = len(patterns_before(report))
    heading = f"{plural(len(patterns_now(report)), 'pattern')} learned"
    emerging = len(patterns_emerging(report))
    if emerging:
        heading += f", {count(emerging)} more emerging"
    return f"{heading}, {count(before)} of earlier nights no longer holding" if before else heading


def reliability_sentences(report: Report) -> tuple[str, str]:
    """How what patterns foretold came true, as a heading and a sentence that says how it was judged."""
    reliability = report["reliability"]
    forecasts, held = reliability["forecasts"], reliability["came_true"]
    how = (
        f"The newer part of the record was cut into {count(reliability['stretches'])} stretches. Before each, patterns "
        "were searched in what had come before, and each stated the chance that its decisions would go on doing "
        "better, or worse, than the rest of their type."
    )
    if not forecasts:
        return "No pattern has foretold anything yet", how
    brier, base = reliability["brier"], reliability["brier_of_base_rate"]
    heading = f"{count(held)} of {plural(forecasts, 'forecast')} of a pattern came true"
    if base == 0:  # they all came true, or none did: hindsight has no error
        compared = "which hindsight alone could better, since all forecasts ended alike."
    else:
        compared = (
            f"{'better' if brier < base else 'no better'} than the {base:.3f} of one who knows how many come true "
            "in all and states that share each time."
        )
    sentence = f"{how} The Brier score, where 0 is best, is {brier:.3f}, {compared}"
    return f"{heading}, {count(reliability['stated'])} expected", sentence


def control_sentences(report: Report) -> tuple[str, str]:
    """What the control found, as a heading and a sentence that says how it was done."""
    control = report.get("control") or {}
    shuffles = control.get("shuffles") or 0
    if not shuffles:
        return (
            "The control has not been run",
            "It repeats the search with shuffled outcomes, where anything found is found by chance.",
        )
    promoted = control.get("promoted") or 0
    heading = (
        "The same search finds nothing in shuffled outcomes"
        if promoted == 0
        else f"The same search finds {plural(promoted, 'pattern')} in shuffled outcomes"
    )
    tried = plural(control.get("candidates_tried") or 0, "candidate")
    times = "once" if shuffles == 1 else f"{count(shuffles)} times"
    found = len(patterns_now(report))
    truly = "one pattern was" if found == 1 else f"{count(found) if found else 'no'} patterns were"
    sentence = (
        f"Outcomes were dealt at random to the decisions {times}, and the whole search was run on each deal: "
        f"{tried} tried, {count(promoted)} promoted. With the true outcomes, {truly} promoted. "
    )
    verdict = "Whatever is found in shuffled outcomes is found by chance"
    if promoted == 0 and found:
        verdict += ", so chance alone is a poor explanation of the patterns above"
    return heading, f"{sentence}{verdict}."


def cost_heading(report: Report) -> str:
    """`A month would cost $17.82`."""
    if not report["cost"]["lines"]:
        return "No cost was estimated"
    return f"A month would cost {dollars(report['cost']['total_usd'])}"
