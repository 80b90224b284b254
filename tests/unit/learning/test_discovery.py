"""Which statements a search makes, in worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from agent_memory.learning import discovery
from agent_memory.learning.identification import identify_patterns
from agent_memory.learning.patterns import PatternThresholds
from benchmarks.synthetic_records import PLANTED, draw_features, evidence_from, planted_record

HIGH, BULLISH = "context.market.volatility=high", "context.market.trend=bullish"
NEWS, BREAKOUT = "source=news", "reasoning.strategy=breakout"


def found(evidence):
    return {one.features for one in identify_patterns(evidence).patterns}


def record(seed, count, rate):
    generator = np.random.default_rng(seed)
    features = draw_features(generator, count, planted=count // 5)
    return evidence_from(features, generator.random(count) < [rate(set(facts)) for facts in features], per_hour=2)


def test_a_pair_replaces_its_parts():
    evidence = record(1, 8_000, lambda facts: 0.5 + 0.3 * ({HIGH, BULLISH} <= facts))
    assert found(evidence) == {(BULLISH, HIGH)}


@pytest.mark.slow
def test_few_statements_say_it_all():
    """Four truths, of which three are pairs: as many statements, and hardly any other."""
    stated = []
    for seed in range(10):
        evidence = record(
            seed,
            8_000,
            lambda facts: (
                0.5
                + 0.12 * (PLANTED in facts)
                + 0.25 * ({HIGH, BULLISH} <= facts)
                - 0.25 * ({NEWS, BREAKOUT} <= facts)
                + 0.25 * ({"context.trading_hours=asian", "reasoning.forecast=up"} <= facts)
            ),
        )
        stated.append(found(evidence))
    true = {
        (PLANTED,),
        (BULLISH, HIGH),
        (BREAKOUT, NEWS),
        ("context.trading_hours=asian", "reasoning.forecast=up"),
    }
    assert np.mean([len(one & true) for one in stated]) >= 3.7
    assert np.mean([len(one) for one in stated]) <= 4.5


def test_decisions_are_compared_with_others_that_answer_the_same_question():
    """News answers mostly the easy question, and is worse than other sources in each."""
    generator = np.random.default_rng(3)
    count = 6_000
    features = draw_features(generator, count)
    is_easy = generator.random(count) < [0.85 if NEWS in facts else 0.3 for facts in features]
    rate = [0.35 + 0.4 * easy - 0.1 * (NEWS in facts) for easy, facts in zip(is_easy, features, strict=True)]
    evidence = evidence_from(features, generator.random(count) < rate, per_hour=2)
    asked = [replace(one, question="easy" if easy else "hard") for one, easy in zip(evidence, is_easy, strict=True)]
    (news,) = [one for one in identify_patterns(asked).patterns if one.features == (NEWS,)]
    assert news.effect == pytest.approx(-0.1, abs=0.04)
    assert news.success_rate - news.base_rate == pytest.approx(news.effect)
    (mixed,) = [one for one in identify_patterns(evidence).patterns if one.features == (NEWS,)]
    assert mixed.effect > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("names_position", [True, False])
def test_copies_of_a_position_are_one_observation(names_position):
    """Thirty copies of each of sixty positions, over three days."""
    promoted = 0
    for seed in range(8):
        generator = np.random.default_rng(seed)
        features, won = draw_features(generator, 60), generator.random(60) < 0.5
        starts = np.sort(generator.integers(60 * 24, size=60))
        rows = [(int(starts[n]) + copy * 72 // 30, n, copy) for n in range(60) for copy in range(30)]
        evidence = [
            replace(one, question="", cluster=f"position-{n}" if names_position else "")
            for (hour, n, copy) in sorted(rows)
            for one in [
                replace(
                    evidence_from([features[n]], [bool(won[n])])[0],
                    decision_id=f"{n}-{copy}",
                    timestamp_ms=hour * 3_600_000,
                    known_ms=hour * 3_600_000,
                )
            ]
        ]
        promoted += bool(identify_patterns(evidence).patterns)
    assert promoted <= 1


def test_of_effects_whose_p_values_are_zero_the_strongest_comes_first():
    """A proxy of a fact, which hardly any decision has without it, is not stated in its place."""
    generator = np.random.default_rng(4)
    count = 60_000
    cause = generator.random(count) < 0.5
    proxy = cause ^ (generator.random(count) < 0.05)
    features = [
        tuple(sorted((f"context.a={'yes' if one else 'no'}", f"context.b={'yes' if other else 'no'}")))
        for one, other in zip(proxy, cause, strict=True)
    ]
    evidence = evidence_from(features, generator.random(count) < np.where(cause, 0.8, 0.2), per_hour=30)
    assert {tuple(one.partition("=")[0] for one in features) for features in found(evidence)} == {("context.b",)}


def test_a_significant_effect_is_the_wider_in_relation_to_its_interval_the_fewer_degrees_of_freedom():
    """What the least effect that is tested rests on: of Student's t the normal has the largest ratio of quantiles."""
    for level in (0.04, 1e-3, 1e-8):
        ratios = [stats.t.isf(0.025, degrees) / stats.t.isf(level / 2, degrees) for degrees in (1, 2, 5, 30, 1e3)]
        assert ratios == sorted(ratios)
        assert ratios[-1] < stats.norm.isf(0.025) / stats.norm.isf(level / 2)


@pytest.mark.parametrize("min_effect", [0.02, 0.05, 0.12])
def test_effects_that_cannot_be_worth_stating_are_left_out_only(min_effect, monkeypatch):
    """The statements are the same if all significant effects are tested."""
    thresholds = PatternThresholds(min_effect=min_effect)
    evidence = record(7, 40_000, lambda facts: 0.5 + 0.04 * (HIGH in facts) + 0.08 * (BULLISH in facts))
    stated = identify_patterns(evidence, thresholds)
    monkeypatch.setattr(discovery._Search, "_least_effect", lambda *_: 0.0)
    assert identify_patterns(evidence, thresholds) == stated


@pytest.mark.parametrize("rate", [1e-12, 1e-300, 5e-324])
def test_a_rate_of_false_statements_may_be_as_small_as_any_number(rate):
    evidence = record(7, 3_000, lambda facts: 0.1 + 0.8 * (HIGH in facts))
    stated = identify_patterns(evidence, PatternThresholds(familywise_error_rate=rate)).patterns
    assert {pattern.features for pattern in stated} == ({(HIGH,)} if rate > 1e-100 else set())


def test_effects_in_a_history_whose_outcomes_were_recorded_afterwards_are_found():
    """When they were recorded says nothing about how long they took; all within an hour, or within three."""
    evidence = planted_record(3, count=3_000, planted=600, effect=0.15, per_hour=2)
    end_ms = max(one.timestamp_ms for one in evidence)
    for hours in (1, 3):
        recorded = [replace(one, known_ms=end_ms + n % hours * 3_600_000) for n, one in enumerate(evidence)]
        assert found(recorded) == found(evidence) == {(PLANTED,)}
