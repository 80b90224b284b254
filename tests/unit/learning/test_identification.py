"""Identification on small synthetic records, each of which shows one property."""

import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent_memory.core.errors import InvalidInput
from agent_memory.learning.dataset import build_dataset, with_known_questions, with_outcomes
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import (
    build_datasets,
    identify_in_datasets,
    identify_in_permutations,
    identify_patterns,
)
from agent_memory.learning.patterns import Identification, PatternThresholds
from benchmarks.learned_worlds import questions_record
from benchmarks.synthetic_records import (
    PLANTED,
    draw_features,
    evidence_from,
    null_record,
    permute_outcomes,
    planted_record,
)


def features_found(identification: Identification) -> set[tuple[str, ...]]:
    return {pattern.features for pattern in identification.patterns}


def is_plain(data: Any) -> bool:
    if isinstance(data, dict):
        return all(type(name) is str and is_plain(value) for name, value in data.items())
    if isinstance(data, list):
        return all(is_plain(value) for value in data)
    return data is None or type(data) in {str, int, float, bool}


@pytest.fixture(scope="module")
def identification() -> Identification:
    return identify_patterns(planted_record(11, effect=0.25))


def test_every_count_and_rate_equals_a_recount(identification):
    evidence = planted_record(11, effect=0.25)
    pattern = next(pattern for pattern in identification.patterns if pattern.features == (PLANTED,))
    matching = [one for one in evidence if PLANTED in one.features]
    rest = [one for one in evidence if PLANTED not in one.features]
    assert pattern.occurrences == len(matching) == 600
    assert pattern.successes == sum(one.success for one in matching)
    assert pattern.base_occurrences == len(rest)
    assert pattern.base_rate == sum(one.success for one in rest) / len(rest)
    assert pattern.effect == pattern.success_rate - pattern.base_rate
    assert pattern.interval[0] < pattern.success_rate < pattern.interval[1]
    assert pattern.effect_interval[0] < pattern.effect < pattern.effect_interval[1]
    assert pattern.newest_begins_ms == evidence[4200].timestamp_ms
    assert pattern.first_seen_ms == matching[0].timestamp_ms
    assert pattern.last_seen_ms == matching[-1].timestamp_ms
    assert identification.base_rates["SIGNAL_GENERATION"].successes == sum(one.success for one in evidence)
    assert 0.5 < pattern.confidence <= 1.0
    assert pattern.p_value < pattern.adjusted_p_value <= 0.03
    assert 300 < pattern.effective_sample_size <= 600


def test_both_directions_are_patterns():
    found = identify_patterns(planted_record(3, effect=-0.25)).patterns
    warning = next(pattern for pattern in found if pattern.features == (PLANTED,))
    assert warning.effect < -0.1
    assert warning.confidence > 0.95


def test_data_is_plain_json(identification):
    data = identification.as_data()
    assert is_plain(data)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_order_of_evidence_does_not_matter():
    generator = np.random.default_rng(8)
    features = draw_features(generator, 3_000, planted=400)
    has_effect = np.array([PLANTED in facts for facts in features])
    evidence = evidence_from(features, generator.random(3_000) < 0.5 + 0.3 * has_effect, per_hour=5)
    reordered = list(evidence)
    random.Random(0).shuffle(reordered)
    expected = identify_patterns(evidence)
    assert expected.patterns
    assert identify_patterns(reordered).as_data() == expected.as_data()


def test_a_refinement_that_adds_nothing_is_dropped(identification):
    # Neither a combination with the planted feature nor its complement says more than the feature alone.
    assert features_found(identification) == {(PLANTED,)}


def test_a_refinement_that_adds_something_is_kept():
    generator = np.random.default_rng(4)
    features = draw_features(generator, 8_000, planted=2_000)
    special = ("context.market.volatility=high", PLANTED)
    rate = [0.4 + 0.15 * (PLANTED in facts) + 0.3 * (set(special) <= set(facts)) for facts in features]
    found = features_found(identify_patterns(evidence_from(features, generator.random(8_000) < rate)))
    assert found == {(PLANTED,), special}


def test_of_combinations_that_match_the_same_decisions_the_shortest_is_kept():
    generator = np.random.default_rng(6)
    base = draw_features(generator, 4_000, planted=800)
    features = [(*facts, "reasoning.session_note=overlap") if PLANTED in facts else facts for facts in base]
    has_effect = np.array([PLANTED in facts for facts in features])
    found = features_found(identify_patterns(evidence_from(features, generator.random(4_000) < 0.5 + 0.3 * has_effect)))
    assert (PLANTED,) in found
    assert not any("reasoning.session_note=overlap" in facts for facts in found)


def test_dates_and_identifiers_are_never_patterns():
    evidence = [
        replace(one, features=(f"context.date=day-{i // 60}", f"context.run=run-{i}", *one.features))
        for i, one in enumerate(planted_record(11, effect=0.25))
    ]
    found = features_found(identify_patterns(evidence))
    assert (PLANTED,) in found
    assert not any(fact.startswith(("context.date", "context.run")) for facts in found for fact in facts)


def test_decisions_are_compared_with_others_of_their_type():
    # One type succeeds far more often than the other; in neither do the features have an effect.
    identification = identify_patterns(null_record(2))
    assert identification.patterns == ()
    assert set(identification.base_rates) == {"SIGNAL_GENERATION", "SOURCE_SELECTION"}
    assert identification.candidates_tried > 5_000


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_little_evidence_has_no_patterns(count):
    identification = identify_patterns(planted_record(1, count=count, planted=count // 2))
    assert identification.patterns == ()
    assert is_plain(identification.as_data())


@pytest.mark.parametrize("won", [True, False])
def test_constant_outcomes_have_no_patterns(won):
    evidence = [replace(one, success=won) for one in planted_record(1, count=600, planted=100)]
    assert identify_patterns(evidence).patterns == ()


def test_decisions_of_one_moment_have_no_patterns():
    evidence = [replace(one, timestamp_ms=1_000) for one in planted_record(1, count=600, planted=100)]
    assert identify_patterns(evidence).candidates_tried == 0


def test_permutation_keeps_everything_but_the_association():
    evidence = null_record(1, 200)
    permuted = permute_outcomes(evidence, 7)
    assert [replace(one, success=True) for one in permuted] == [replace(one, success=True) for one in evidence]
    for name in ("SIGNAL_GENERATION", "SOURCE_SELECTION"):
        before = [one.success for one in evidence if one.decision_type == name]
        after = [one.success for one in permuted if one.decision_type == name]
        assert sum(before) == sum(after)
        assert before != after
    assert permuted == permute_outcomes(evidence, 7)
    assert permuted != permute_outcomes(evidence, 8)


def test_other_outcomes_are_tested_as_if_they_had_been_from_the_start():
    thresholds = PatternThresholds()
    datasets = build_datasets(build_tables(planted_record(1, count=600, planted=100)), thresholds)
    for seed in range(3):
        outcomes = [np.random.default_rng(seed).permutation(one.success) for one in datasets]
        anew = [
            build_dataset(replace(one.table, success=success), thresholds)
            for one, success in zip(datasets, outcomes, strict=True)
        ]
        others = [with_outcomes(one, success) for one, success in zip(datasets, outcomes, strict=True)]
        assert identify_in_datasets(others, thresholds) == identify_in_datasets(anew, thresholds)
    original = [with_outcomes(one, one.success) for one in others]
    again = [with_outcomes(one, dataset.success) for one, dataset in zip(original, datasets, strict=True)]
    found = identify_in_datasets(again, thresholds)
    assert found.patterns
    assert found == identify_in_datasets(datasets, thresholds)


def test_nothing_is_found_in_permuted_outcomes():
    thresholds = PatternThresholds()
    datasets = build_datasets(build_tables(planted_record(1, count=600, planted=100)), thresholds)
    assert identify_in_datasets(datasets, thresholds).patterns
    runs = list(identify_in_permutations(datasets, thresholds, 5))
    assert [run.patterns for run in runs] == [()] * 5
    assert sum(run.candidates_tried for run in runs) > 0
    assert runs == list(identify_in_permutations(datasets, thresholds, 5))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("min_occurrences", 0),
        ("max_features", 4),
        ("familywise_error_rate", 0.0),
        ("newest_fraction", 1.0),
        ("min_confidence", 1.5),
        ("mean_duration_ms", 0),
        ("min_effect", -0.1),
        ("max_distinct_values", 0),
        ("max_columns", 0),
        ("correlation_windows_ms", ()),
        ("correlation_windows_ms", (5, 1)),
        ("prior_decisions", 0.0),
        ("half_life_ms", 0),
        ("false_alarm_decisions", 1.0),
    ],
)
def test_invalid_thresholds_are_refused(setting, value):
    with pytest.raises(InvalidInput) as refused:
        PatternThresholds(**{setting: value})
    assert refused.value.field == setting


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_decisions_without_a_question_are_not_compared_where_others_name_one(seed):
    """A family of sources is asked easier questions, half of which are not named: it is no better."""
    evidence = [replace(one, question=one.question * (n % 2)) for n, one in enumerate(questions_record(seed))]
    assert not identify_patterns(evidence).patterns


def rows_with_questions(names):
    return [
        replace(one, question=name)
        for one, name in zip(evidence_from([("a=b",)] * len(names), [True] * len(names)), names, strict=True)
    ]


@pytest.mark.parametrize(
    ("questions", "compared"),
    [
        ([""] * 100, 100),  # no question is in use
        (["up"] * 5 + ["down"] * 5, 10),  # none is frequent
        (["up"] * 40 + [""] * 60, 40),
        (["up"] * 40 + ["rare"] * 20 + [""] * 40, 40),
        (["up"] * 40 + [""] * 400, 440),  # hardly any decision names one
    ],
)
def test_what_answers_no_frequent_question_is_compared_only_if_hardly_any_decision_does(questions, compared):
    (table,) = build_tables(rows_with_questions(questions))
    kept = with_known_questions(table, 30)
    assert len(kept) == compared
    assert kept.features.matching(["a=b"]).tolist() == [True] * compared
    assert {kept.questions[code] for code in kept.question_codes} == set(questions[:compared])
