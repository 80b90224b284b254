"""Strategies are measured by what followed from the decisions that chose them."""

import random

import pytest

from agent_memory.learning.consequences import ConsequenceCollector
from agent_memory.learning.dataset import build_dataset
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.performance import source_performance, strategy_performance
from agent_memory.model.evidence import Evidence

HOUR_MS = 3_600_000
FEW = PatternThresholds(min_occurrences=4)
EXPLORE, EXPLOIT = "reasoning.strategy=exploration", "reasoning.strategy=exploitation"
LATER = dict.fromkeys(("SIGNAL_GENERATION", "QUERY", "TRADE", "SOURCE_SELECTION"), 10**15)


def row(name, kind, n, success, facts=(), ancestors=()):
    return Evidence(name, kind, n * HOUR_MS, success, tuple(sorted(facts)), ancestors=tuple(ancestors))


def cycle(n, strategy, signal_succeeds, *, selection_succeeds=True, chosen="true"):
    """A selection, its query, and one signal."""
    return [
        row(f"s{n}", "SOURCE_SELECTION", n, selection_succeeds, [strategy, "source=news"]),
        row(f"q{n}", "QUERY", n, success=True, ancestors=[f"s{n}"]),
        row(
            f"g{n}",
            "SIGNAL_GENERATION",
            n,
            signal_succeeds,
            [f"reasoning.chosen={chosen}", "reasoning.source=news"],
            ancestors=[f"q{n}", f"s{n}"],
        ),
    ]


def strategies(rows):
    collector = ConsequenceCollector()
    datasets = build_datasets(build_tables(collector.observed(rows)), FEW)
    caused = [(one.outcome_type, build_dataset(one.table, FEW)) for one in collector.of_each_type(LATER)]
    return {one.data["strategy"]: one for one in strategy_performance(datasets, FEW, caused)}


def test_a_strategy_is_measured_by_the_signals_that_followed():
    rows = [one for n in range(40) for one in cycle(n, EXPLORE if n % 2 else EXPLOIT, n % 2 == 0 or n % 5 == 0)]
    found = strategies(rows)
    explore, exploit = found["exploration"].data, found["exploitation"].data
    assert (explore["outcome_type"], explore["occurrences"], explore["successes"]) == ("SIGNAL_GENERATION", 20, 4)
    assert (exploit["occurrences"], exploit["successes"]) == (20, 20)
    assert found["exploration"].pattern_id == "source_selection+reasoning.strategy=exploration"
    assert explore["description"] == (
        "Signals after source selections where strategy is exploration succeeded in 20% of 20 cases, "
        "against 100% of other signals"
    )


def test_evidence_is_collected_in_any_order():
    rows = [one for n in range(40) for one in cycle(n, EXPLORE if n % 2 else EXPLOIT, n % 3 == 0)]
    expected = {name: one.data for name, one in strategies(rows).items()}
    random.Random(1).shuffle(rows)
    assert {name: one.data for name, one in strategies(rows).items()} == expected


def test_what_was_only_judged_was_not_caused():
    rows = [one for n in range(20) for one in cycle(n, EXPLORE if n % 2 else EXPLOIT, True, chosen="false")]
    found = strategies(rows)
    # Queries are left, which are no judgement, but followed from the choice.
    assert found["exploration"].data["outcome_type"] == "QUERY"


def test_the_nearest_choice_counts_and_learning_is_no_consequence():
    rows = []
    for n in range(16):
        rows += [
            row(f"a{n}", "SOURCE_SELECTION", n, success=True, facts=[EXPLORE]),
            row(f"b{n}", "SOURCE_SELECTION", n, success=True, facts=[EXPLOIT], ancestors=[f"a{n}"]),
            row(f"t{n}", "TRADE", n, success=n % 4 == 0, ancestors=[f"b{n}", f"a{n}"]),
            row(f"l{n}", "LEARNING", n, success=True, ancestors=[f"a{n}"]),
        ]
    found = strategies(rows)
    assert set(found) == {"exploitation"}
    assert (found["exploitation"].data["occurrences"], found["exploitation"].data["successes"]) == (16, 4)


def test_a_choice_that_caused_nothing_is_measured_by_itself():
    rows = [row(f"t{n}", "TRADE", n, n % 2 == 0, [EXPLORE if n < 8 else EXPLOIT]) for n in range(16)]
    found = strategies(rows)
    assert {one.data["outcome_type"] for one in found.values()} == {"TRADE"}
    assert {name: one.data["occurrences"] for name, one in found.items()} == {"exploration": 8, "exploitation": 8}


def test_consequences_wait_until_they_are_old_enough():
    collector = ConsequenceCollector()
    rows = [one for n in range(10) for one in cycle(n, EXPLORE, True)]
    list(collector.observed(rows))
    (found,) = collector.of_each_type({"SIGNAL_GENERATION": 4 * HOUR_MS})
    assert (found.outcome_type, found.table.decision_type, len(found.table)) == (
        "SIGNAL_GENERATION",
        "SOURCE_SELECTION",
        4,
    )


def summaries(rows):
    return list(source_performance(build_datasets(build_tables(rows), FEW), FEW))


def test_sources_are_measured_by_judged_decisions():
    rows = [one for n in range(20) for one in cycle(n, EXPLORE, n % 4 == 0)]
    (news,) = summaries(rows)
    assert news.pattern_id == "signal_generation+reasoning.source=news"
    assert (news.data["source"], news.data["measured_by"], news.data["successes"]) == ("news", "outcome", 5)


def test_sources_are_measured_by_selections_only_if_nothing_was_judged():
    rows = [one for n in range(20) for one in cycle(n, EXPLORE, None)]
    (news,) = summaries(rows)
    assert (news.pattern_id, news.data["measured_by"]) == ("source_selection+source=news", "selection")


@pytest.mark.parametrize("fact", ["context.source=news", "reasoning.sources=news", "source=news"])
def test_a_judged_decision_names_its_source_in_several_ways(fact):
    rows = [row(f"t{n}", "TRADE", n, n % 2 == 0, [fact, *(["source=macro"] * (fact[0] != "s"))]) for n in range(10)]
    (news,) = summaries(rows)
    assert (news.data["source"], news.data["occurrences"]) == ("news", 10)
