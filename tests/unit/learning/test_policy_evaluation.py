"""What another policy would have achieved is estimated from logged propensities, or refused where it cannot be told."""

import random
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from agent_memory.learning.policy_evaluation import LoggedChoice, evaluate_choices

BANDIT = Path(__file__).parents[4] / "shared" / "data" / "open_bandit_small_60k.parquet"
ESTIMATORS = ("ips", "snips", "doubly_robust")


def logged(n, probabilities, *, seed=0, rates=None, policy=None):
    """Choices of a policy that is known, and the probabilities of another one."""
    chance = random.Random(seed)
    rates = rates or {"a": 0.3, "b": 0.6, "c": 0.5}
    options = list(probabilities)
    for _ in range(n):
        option = chance.choices(options, [probabilities[one] for one in options])[0]
        success = float(chance.random() < rates[option])
        yield LoggedChoice(option, probabilities[option], success, policy or {"b": 0.8, "c": 0.2})


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_intervals_cover_the_value_of_the_other_policy(estimator):
    probabilities, truth = {"a": 0.7, "b": 0.2, "c": 0.1}, 0.8 * 0.6 + 0.2 * 0.5
    covered = 0
    for seed in range(100):
        estimate = getattr(evaluate_choices(list(logged(1_000, probabilities, seed=seed))), estimator)
        covered += estimate.interval[0] <= truth <= estimate.interval[1]
    assert covered >= 90


def test_the_policy_that_logged_them_achieves_what_was_logged():
    probabilities = {"a": 0.7, "b": 0.2, "c": 0.1}
    found = evaluate_choices(list(logged(500, probabilities, policy=probabilities)))
    assert found.ips.value == pytest.approx(found.logged)
    assert found.snips.value == pytest.approx(found.logged)
    assert (found.effective, found.support, found.capped) == (500, 1, 0)


def test_one_tiny_propensity_does_not_decide_the_estimate():
    choices = [*logged(2_000, {"a": 0.5, "b": 0.5}), LoggedChoice("b", 1e-6, 1.0, {"b": 1.0})]
    found = evaluate_choices(choices)
    assert found.capped == 1
    assert found.effective > 500
    assert found.doubly_robust.value < 0.7
    uncapped = evaluate_choices(choices, max_weight=1e9)
    assert uncapped.effective < 2
    assert uncapped.refused
    assert uncapped.doubly_robust is None


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        ([], "no decision"),
        (list(logged(150, {"a": 0.5, "b": 0.5})), "worth"),
        (list(logged(1_000, {"a": 1.0})), "the log has only about"),
        ([LoggedChoice("b", 0.1, 1.0, {"b": 0.5}) for _ in range(1_000)], "instead of 1"),
    ],
)
def test_an_evaluation_without_support_is_refused_with_the_reason(choices, why):
    found = evaluate_choices(choices)
    assert why in found.refused
    assert (found.ips, found.snips, found.doubly_robust) == (None, None, None)
    assert found.as_dict()["ips"] is None


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        (LoggedChoice("a", 0.0, 1.0, {"a": 1.0}), "choices/0/propensity"),
        (LoggedChoice("a", 0.5, float("nan"), {"a": 1.0}), "choices/0/reward"),
        (LoggedChoice("a", 0.5, 1.0, {"a": 1.5}), "policy/a"),
        (LoggedChoice("a", 0.5, 1.0, {"a": -0.1}), "policy/a"),
        (LoggedChoice("a", 0.5, 1.0, {"a": 0.7, "b": 0.7}), "policy"),
    ],
)
def test_invalid_choices_name_the_field(choice, field):
    with pytest.raises(InvalidInput) as caught:
        evaluate_choices([choice])
    assert caught.value.field == field


def test_decisions_of_one_cluster_count_as_one():
    once = [
        LoggedChoice(one.option, one.propensity, one.reward, one.probabilities, f"position={n}")
        for n, one in enumerate(logged(800, {"a": 0.5, "b": 0.5}, policy={"b": 1.0}))
    ]
    # Ordered so that every copy is in the same half of the decisions as its original.
    copied = [one for pair in zip(once[::2], once[1::2], strict=True) for one in pair * 3]
    plain, repeated = evaluate_choices(once), evaluate_choices(copied)
    for estimator in ("ips", "snips"):
        assert getattr(repeated, estimator).interval == pytest.approx(getattr(plain, estimator).interval, rel=0.01)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0.01, 1), st.floats(-100, 100), st.floats(0, 0.33)), max_size=300
    )
)
def test_estimates_are_numbers_within_their_intervals(rows):
    choices = [LoggedChoice(option, p, reward, dict.fromkeys("abc", pi)) for option, p, reward, pi in rows]
    found = evaluate_choices(choices)
    for estimator in ESTIMATORS:
        estimate = getattr(found, estimator)
        assert (estimate is None) == (found.refused is not None)
        if estimate is not None:
            low, high = estimate.interval
            assert low <= high


def bandit(campaign):
    """Items shown by two policies in one campaign: the item, the position, whether it was clicked, the propensity."""
    if not BANDIT.exists():
        pytest.skip(f"{BANDIT.name} is not in {BANDIT.parent}")
    query = """
        SELECT policy, item_id::VARCHAR, position, click::DOUBLE, propensity_score
        FROM read_parquet(?) WHERE campaign = ? ORDER BY timestamp, policy, item_id, position
    """
    found = duckdb.connect(config={"threads": "1"}).execute(query, [str(BANDIT), campaign]).fetchall()
    return {policy: [row[1:] for row in found if row[0] == policy] for policy in ("random", "bts")}


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
@pytest.mark.parametrize(("log", "other"), [("random", "bts"), ("bts", "random")])
def test_of_a_real_log_all_intervals_cover_what_the_other_policy_achieved(campaign, log, other):
    rows = bandit(campaign)
    shown = Counter((position, item) for item, position, _, _ in rows[other])
    positions = Counter(position for _, position, _, _ in rows[other])
    policy = {position: {} for position in positions}
    for (position, item), count in shown.items():
        policy[position][item] = count / positions[position]
    if other == "random":  # every item alike, as its propensities say
        items = {item for item, _, _, _ in rows[other]}
        policy = {position: dict.fromkeys(items, 1 / len(items)) for position in positions}
    choices = [LoggedChoice(item, p, click, policy[position]) for item, position, click, p in rows[log]]
    found = evaluate_choices(choices)
    achieved = sum(click for _, _, click, _ in rows[other]) / len(rows[other])
    assert found.effective >= 100
    for estimator in ESTIMATORS:
        low, high = getattr(found, estimator).interval
        assert low <= achieved <= high, estimator
    few = evaluate_choices(choices[:100])
    assert few.refused
