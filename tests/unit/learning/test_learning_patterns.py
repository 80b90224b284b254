"""What identification answers, in small worlds made to show one thing each."""

import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent_memory.core.errors import InvalidInput
from agent_memory.learning.controls import shuffled
from agent_memory.learning.patterns import Identification, PatternThresholds, identify_patterns
from benchmarks.worlds import PLANTED, chance_world, evidence_from, features_for, planted_world


def features_found(identification: Identification) -> set[tuple[str, ...]]:
    return {pattern.features for pattern in identification.patterns}


def plain(data: Any) -> bool:
    if isinstance(data, dict):
        return all(type(name) is str and plain(value) for name, value in data.items())
    if isinstance(data, list):
        return all(plain(value) for value in data)
    return data is None or type(data) in {str, int, float, bool}


@pytest.fixture(scope="module")
def strong() -> Identification:
    return identify_patterns(planted_world(11, effect=0.25))


def test_every_number_can_be_recounted(strong):
    evidence = planted_world(11, effect=0.25)
    pattern = next(pattern for pattern in strong.patterns if pattern.features == (PLANTED,))
    matching = [one for one in evidence if PLANTED in one.features]
    rest = [one for one in evidence if PLANTED not in one.features]
    newest = [one for one in matching if one.timestamp_ms >= evidence[4200].timestamp_ms]
    assert pattern.occurrences == len(matching) == 600
    assert pattern.successes == sum(one.success for one in matching)
    assert pattern.base_occurrences == len(rest)
    assert pattern.base_rate == sum(one.success for one in rest) / len(rest)
    assert pattern.effect == pattern.success_rate - pattern.base_rate
    assert pattern.interval[0] < pattern.success_rate < pattern.interval[1]
    assert pattern.effect_interval[0] < pattern.effect < pattern.effect_interval[1]
    assert pattern.holdout.occurrences == len(newest)
    assert pattern.holdout.successes == sum(one.success for one in newest)
    assert pattern.first_seen_ms == matching[0].timestamp_ms
    assert pattern.last_seen_ms == matching[-1].timestamp_ms
    assert strong.base_rates["SIGNAL_GENERATION"].successes == sum(one.success for one in evidence)
    assert 0.99 < pattern.confidence <= 1.0
    assert pattern.p_value < pattern.q_value <= 0.05
    assert 300 < pattern.effective_sample_size <= 600


def test_both_directions_are_patterns():
    hurt = identify_patterns(planted_world(3, effect=-0.25))
    warning = next(pattern for pattern in hurt.patterns if pattern.features == (PLANTED,))
    assert warning.effect < -0.1
    assert warning.confidence > 0.99


def test_data_is_plain_json(strong):
    data = strong.as_data()
    assert plain(data)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["patterns"][0]["holdout"].keys() == {
        "occurrences",
        "successes",
        "success_rate",
        "base_rate",
        "p_value",
        "begins_ms",
    }


def test_the_order_of_evidence_does_not_matter():
    generator = np.random.default_rng(8)
    features = features_for(generator, 3_000, planted=400)
    helped = np.array([PLANTED in facts for facts in features])
    evidence = evidence_from(features, generator.random(3_000) < 0.5 + 0.3 * helped, per_moment=5)
    mixed = list(evidence)
    random.Random(0).shuffle(mixed)
    once, again = identify_patterns(evidence), identify_patterns(mixed)
    assert once.patterns
    assert once.as_data() == again.as_data()


def test_a_refinement_that_adds_nothing_is_left_out(strong):
    # Dozens of combinations with the planted fact pass the tests; none does better than the fact alone.
    assert strong.discovered > 10
    assert features_found(strong) == {(PLANTED,), ("context.session=single",)}


def test_a_refinement_that_adds_something_is_kept():
    generator = np.random.default_rng(4)
    features = features_for(generator, 8_000, planted=2_000)
    special = ("context.market.volatility=high", PLANTED)
    rate = [0.4 + 0.15 * (PLANTED in facts) + 0.3 * (set(special) <= set(facts)) for facts in features]
    found = features_found(identify_patterns(evidence_from(features, generator.random(8_000) < rate)))
    assert {(PLANTED,), special} <= found


def test_names_for_the_same_decisions_collapse_to_the_shortest():
    generator = np.random.default_rng(6)
    base = features_for(generator, 4_000, planted=800)
    features = [(*facts, "reasoning.session_note=overlap") if PLANTED in facts else facts for facts in base]
    helped = np.array([PLANTED in facts for facts in features])
    found = features_found(identify_patterns(evidence_from(features, generator.random(4_000) < 0.5 + 0.3 * helped)))
    assert (PLANTED,) in found
    assert not any("reasoning.session_note=overlap" in facts for facts in found)


def test_a_day_or_an_identifier_is_never_a_pattern():
    evidence = [
        replace(one, features=(f"context.date=day-{i // 60}", f"context.run=run-{i}", *one.features))
        for i, one in enumerate(planted_world(11, effect=0.25))
    ]
    found = features_found(identify_patterns(evidence))
    assert (PLANTED,) in found
    assert not any(fact.startswith(("context.date", "context.run")) for facts in found for fact in facts)


def test_types_are_compared_with_themselves():
    # One type succeeds far more often than the other; the facts mean nothing in either.
    identification = identify_patterns(chance_world(2))
    assert identification.patterns == ()
    assert set(identification.base_rates) == {"SIGNAL_GENERATION", "SOURCE_SELECTION"}
    assert identification.candidates_tried > 5_000


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_little_evidence_teaches_nothing(count):
    identification = identify_patterns(planted_world(1, count=count, planted=count // 2))
    assert identification.patterns == ()
    assert plain(identification.as_data())


@pytest.mark.parametrize("won", [True, False])
def test_outcomes_that_never_vary_teach_nothing(won):
    evidence = [replace(one, success=won) for one in planted_world(1, count=600, planted=100)]
    assert identify_patterns(evidence).patterns == ()


def test_decisions_of_one_moment_stay_on_one_side():
    evidence = [replace(one, timestamp_ms=1_000) for one in planted_world(1, count=600, planted=100)]
    assert identify_patterns(evidence).candidates_tried == 0


def test_shuffling_keeps_everything_but_the_link():
    evidence = chance_world(1, 200)
    control = shuffled(evidence, 7)
    assert [replace(one, success=True) for one in control] == [replace(one, success=True) for one in evidence]
    for name in ("SIGNAL_GENERATION", "SOURCE_SELECTION"):
        before = [one.success for one in evidence if one.decision_type == name]
        after = [one.success for one in control if one.decision_type == name]
        assert sum(before) == sum(after)
        assert before != after
    assert control == shuffled(evidence, 7)
    assert control != shuffled(evidence, 8)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("min_occurrences", 0),
        ("max_features", 4),
        ("false_discovery_rate", 0.0),
        ("holdout_fraction", 1.0),
        ("holdout_p", 1.5),
        ("min_effect", -0.1),
        ("max_distinct_values", 0),
        ("max_columns", 0),
        ("shared_luck_ms", ()),
        ("shared_luck_ms", (5, 1)),
        ("prior_decisions", 0.0),
        ("half_life_ms", 0),
        ("false_alarm_decisions", 1.0),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(setting, value):
    with pytest.raises(InvalidInput) as refused:
        PatternThresholds(**{setting: value})
    assert refused.value.field == setting
