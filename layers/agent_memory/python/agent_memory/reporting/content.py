"""The page's content, computed from the report: headings that state the result, and the rows of the plots."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent_memory.model.decisions import DecisionType
from agent_memory.model.sources import BY_SELECTION, is_judged
from agent_memory.reporting.formatting import condition, context, count, dollars, name, percent, plural
from agent_memory.reporting.interval_plot import Estimate, Panel

Report = Mapping[str, Any]
Row = Mapping[str, Any]


def rates_by_type(report: Report) -> dict[str, Row]:
    """The counts and the rate of each decision type over the whole range, the most frequent type first."""
    return {row["decision_type"]: row for row in report["success_by_type"]}


def main_type(report: Report) -> Row | None:
    """The type whose rate is the headline, None without any outcome.

    Signals, if there are any; else the type with the most outcomes of those that are judged by what came of them, else
    of all.
    """
    rows = with_outcomes(report["success_by_type"])
    return max(
        rows,
        key=lambda row: (
            row["decision_type"] == DecisionType.SIGNAL_GENERATION,
            is_judged(row["decision_type"]),
            row["with_outcome"],
        ),
        default=None,
    )


def with_outcomes(rows: Sequence[Row]) -> list[Row]:
    """The rows with at least one outcome."""
    return [row for row in rows if row["with_outcome"]]


MAX_CONTEXTS = 14


def context_panels(report: Report) -> list[Panel]:
    """One panel per decision type, with the same contexts in each, that of the headline's type first.

    Contexts are ordered by their rate in the first panel, the highest first. Beyond `MAX_CONTEXTS`, the contexts with
    the fewest outcomes are left out.
    """
    rows = with_outcomes(report["success_by_context"])
    outcomes: dict[str, int] = defaultdict(int)
    for row in rows:
        outcomes[row["context_type"]] += row["with_outcome"]
    largest = set(sorted(outcomes, key=lambda key: -outcomes[key])[:MAX_CONTEXTS])
    shown = [row for row in rows if row["context_type"] in largest]
    types = rates_by_type(report)
    return _panels(
        report,
        shown,
        "context_type",
        label=context,
        reference={name: row["success_rate"] for name, row in types.items()},
        reference_label="all",
    )


def count_contexts_left_out(report: Report) -> int:
    """The number of contexts that `context_panels` leaves out."""
    contexts = {row["context_type"] for row in with_outcomes(report["success_by_context"])}
    return max(0, len(contexts) - MAX_CONTEXTS)


def source_panels(report: Report) -> list[Panel]:
    """One panel per decision type, the sources with the highest rate first, against the mean over all sources."""
    rows = with_outcomes(report["success_by_source"])
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        sums[row["decision_type"]][0] += row["succeeded"]
        sums[row["decision_type"]][1] += row["with_outcome"]
    reference = {decision_type: succeeded / outcomes for decision_type, (succeeded, outcomes) in sums.items()}
    return _panels(report, rows, "source", label=name, reference=reference, reference_label="all sources")


def are_selections(report: Report) -> bool:
    """Whether the rates of sources are those of selections, because no source was judged."""
    return any(row["measured_by"] == BY_SELECTION for row in report["success_by_source"])


def _panels(
    report: Report,
    rows: Sequence[Row],
    group: str,
    *,
    label: Callable[[str], str],
    reference: Mapping[str, float | None],
    reference_label: str,
) -> list[Panel]:
    """A panel for each decision type with the same groups in each, ordered by their rates in the first one."""
    if not rows:
        return []
    main = main_type(report)
    first = [main["decision_type"]] if main else []
    order = [*first, *rates_by_type(report), *sorted({row["decision_type"] for row in rows})]
    present = {row["decision_type"] for row in rows}
    types = [one for one in dict.fromkeys(order) if one in present]
    cells = {(row[group], row["decision_type"]): row for row in rows}
    groups = sorted({row[group] for row in rows}, key=lambda one: _first_rate(cells, one, types))
    panels = []
    for decision_type in types:
        overall = reference.get(decision_type)
        panels.append(
            Panel(
                title=name(decision_type).capitalize(),
                rows=[_estimate(label(one), cells.get((one, decision_type))) for one in groups],
                reference=overall,
                reference_label=f"{reference_label} {percent(overall)}" if overall is not None else "",
            )
        )
    return panels


def _first_rate(cells: Mapping[tuple[str, str], Row], one: str, types: Sequence[str]) -> tuple[int, float, str]:
    """Order by the first type of which there is a rate, the highest rate first."""
    for position, decision_type in enumerate(types):
        row = cells.get((one, decision_type))
        if row is not None:
            return position, -row["success_rate"], one
    return len(types), 0.0, one


def _estimate(label: str, row: Row | None) -> Estimate:
    if row is None:
        return Estimate(label, None, None, None)
    note = f"n = {count(row['with_outcome'])}"
    return Estimate(label, row["success_rate"], row["low"], row["high"], note=note)


def active_patterns(report: Report) -> list[Row]:
    """Patterns that passed the tests of the nightly job, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "active"]


def emerging_patterns(report: Report) -> list[Row]:
    """Patterns that the newest decisions have not confirmed yet, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "emerging"]


def deprecated_patterns(report: Report) -> list[Row]:
    """Patterns that no longer hold, in the report's order."""
    return [row for row in report["patterns"] if row["status"] == "deprecated"]


def untested_patterns(report: Report) -> list[Row]:
    """Patterns that the agent or a person stored, with a status of their own or without one, in the report's order."""
    return [row for row in report["patterns"] if row["status"] not in {"active", "emerging", "deprecated"}]


def pattern_panel(report: Report) -> Panel:
    """The active patterns, each against its own base rate."""
    return Panel(
        title="",
        rows=[
            Estimate(
                label=condition(row["description"] or row["pattern_id"]),
                rate=row["success_rate"],
                low=row["low"],
                high=row["high"],
                reference=row["base_rate"],
                note=f"n = {count(row['sample_size'])}",
            )
            for row in active_patterns(report)
        ],
    )


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
    others = {
        "emerging": emerging_patterns(report),
        "deprecated": deprecated_patterns(report),
        "untested": untested_patterns(report),
    }
    for status, patterns in others.items():
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


def influence_sentences(report: Report) -> tuple[str, str] | None:
    """What memory added to selections, as a heading, and on what that rests; None where the report does not say."""
    influence = report.get("influence")
    if not influence or not influence["selections"]:
        return None
    share = f"{100 * influence['influenced_share']:.0f} % of selections"
    heading = f"{share} rest on memory, which added {points(influence)} of success"
    later = influence.get("influenced_share_later")
    after = "" if later is None else f" After {influence['learned_days']} nightly jobs it is {100 * later:.0f} %."
    earned = influence["by_memory"]
    ends = (("Most", earned[0]), ("Least", earned[-1])) if len(earned) > 1 else ()
    by_memory = "".join(
        f" {name} was added by {one['memory_id']}: {100 * one['uplift']:+.1f} points." for name, one in ends
    )
    return heading, (
        f"Of {count(influence['selections'])} selections with judged sources, {count(influence['changed'])} would be "
        f"others by the agent's own scores. Both are valued by the same outcomes.{after}{by_memory}"
    )


def experiment_sentences(report: Report) -> list[str]:
    """What each experiment that withholds memory has shown."""
    return [
        f"{one['name']}, {one['decision_type']}, {one['status']}: {points(one)}, from "
        f"{count(one['memory']['decisions'])} decisions with memory and {count(one['holdout']['decisions'])} without."
        for one in report.get("experiments") or ()
    ]


def points(row: Mapping[str, Any]) -> str:
    """A difference in success with its interval, in points."""
    if row["uplift"] is None:
        return "nothing that is known yet"
    if row["interval"] is None:
        return f"{100 * row['uplift']:+.1f} points, too few for an interval"
    low, high = row["interval"]
    return f"{100 * row['uplift']:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"


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


def trends(report: Report) -> list[Row]:
    """The patterns whose confidence has changed at least once."""
    return [row for row in report.get("confidence_trends", ()) if len(row["versions"]) > 1]


def cost_lines(report: Report) -> Sequence[Row]:
    """The lines of the cost estimate; empty if there is none."""
    cost = report.get("cost") or {}
    lines: Sequence[Row] = cost.get("lines", ())
    return lines


def cost_heading(report: Report) -> str:
    """`A month would cost $17.82`."""
    if not cost_lines(report):
        return "No cost was estimated"
    return f"A month would cost {dollars(report['cost']['total_usd'])}"
