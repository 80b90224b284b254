"""Which facts belong to positions, where copies of them are logged and nobody names them."""

import numpy as np
import pytest

from agent_memory.learning.copies import facts_of_positions
from agent_memory.learning.feature_matrix import FeatureMatrix

HOUR_MS = 3_600_000
OWN = {"forecast": 4, "priority": 3, "source": 3, "strategy": 3, "symbol": 4}


def record_of(*, copies, seed, positions=200, every_hours=2, over_hours=48, market_hours=24, lacking=0.0):
    """Positions that are logged `copies` times within hours, as a matrix of facts, and the times.

    Args:
        copies: decisions of each position.
        seed: of all random numbers.
        positions: their number.
        every_hours: between two positions, on average.
        over_hours: from the first to the last decision of a position.
        market_hours: how long the market's facts last.
        lacking: how often a decision lacks a fact of its position.
    """
    generator = np.random.default_rng(seed)
    begins = generator.integers(0, positions * every_hours, positions)
    hours = (begins[:, None] + np.round(np.linspace(0, over_hours, copies)).astype(int)).ravel()
    order = np.argsort(hours, kind="stable")
    hours, of = hours[order], np.repeat(np.arange(positions), copies)[order]
    codes = {key: generator.integers(values, size=positions)[of] for key, values in OWN.items()}
    codes = {key: np.where(generator.random(len(of)) < lacking, -1, own) for key, own in codes.items()}
    for key, values in (("trend", 3), ("volatility", 3), ("volume", 3)):
        codes[key] = generator.integers(values, size=1 + hours[-1] // market_hours)[hours // market_hours]
    codes["hour"] = hours % 24
    codes["noise"] = generator.integers(3, size=len(of))
    facts = {f"{key}={value}": codes[key] == value for key in codes for value in np.unique(codes[key]) if value >= 0}
    names = tuple(sorted(facts))
    minutes = generator.integers(60, size=len(of)) * 60_000
    times_ms = np.sort(hours * HOUR_MS + minutes)
    return FeatureMatrix(names, np.array([facts[name] for name in names])), times_ms


def keys_found(matrix, times_ms):
    """The keys of each set of facts that was found."""
    sets = []
    for found in facts_of_positions(matrix, times_ms):
        keys = {matrix.names[number].partition("=")[0] for number in found}
        of_keys = [number for number, name in enumerate(matrix.names) if name.partition("=")[0] in keys]
        assert sorted(found) == of_keys  # all facts of a key, or none
        sets.append(keys)
    return sets


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "how",
    [
        {"copies": 2},
        {"copies": 5},
        {"copies": 5, "positions": 60, "market_hours": 6},
        {"copies": 10, "positions": 30, "every_hours": 6, "over_hours": 72},
        {"copies": 30, "market_hours": 120},
        {"copies": 60, "positions": 2_000},
    ],
    ids=str,
)
def test_the_facts_in_which_copies_agree_are_those_of_positions(how, seed):
    assert any(keys >= set(OWN) for keys in keys_found(*record_of(**how, seed=seed)))


@pytest.mark.parametrize("seed", range(5))
def test_what_changes_from_one_copy_to_the_next_is_not_of_positions(seed):
    found = keys_found(*record_of(copies=5, market_hours=6, positions=600, seed=seed))
    assert set(OWN) in found
    assert all(keys - {"hour"} == set(OWN) for keys in found)  # copies are logged at one of two hours


@pytest.mark.parametrize("seed", range(5))
def test_facts_that_go_together_and_change_between_copies_are_not_of_positions(seed):
    matrix, times_ms = record_of(copies=5, market_hours=6, positions=600, seed=seed)
    rows = dict(zip(matrix.names, matrix.rows, strict=True))
    for part in range(3):  # what the hour says, again
        rows[f"session={part}"] = sum(rows[f"hour={hour}"] for hour in range(8 * part, 8 * part + 8)) > 0
    names = tuple(sorted(rows))
    assert set(OWN) in keys_found(FeatureMatrix(names, np.array([rows[name] for name in names])), times_ms)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("indicators", [20, 80])
def test_the_facts_of_positions_are_found_among_many_that_change(indicators, seed):
    matrix, times_ms = record_of(copies=5, seed=seed)
    generator = np.random.default_rng(seed)
    rows = dict(zip(matrix.names, matrix.rows, strict=True))
    rows |= {f"above{n:02}=true": generator.random(len(times_ms)) < 0.5 for n in range(indicators)}
    names = tuple(sorted(rows))
    found = keys_found(FeatureMatrix(names, np.array([rows[name] for name in names])), times_ms)
    assert any(len(keys & set(OWN)) >= 4 and len(keys) <= 6 for keys in found)


@pytest.mark.parametrize("seed", range(5))
def test_copies_may_lack_a_fact_now_and_then(seed):
    found = keys_found(*record_of(copies=6, lacking=0.05, seed=seed))
    assert any(len(keys & set(OWN)) >= 3 and not keys & {"hour", "noise"} for keys in found)


@pytest.mark.parametrize("seed", range(20))
def test_without_copies_no_facts_are_those_of_positions(seed):
    assert not any(keys & set(OWN) for keys in keys_found(*record_of(copies=1, positions=1_000, seed=seed)))


@pytest.mark.parametrize("decisions", [0, 1, 2])
def test_a_few_decisions_have_no_copies(decisions):
    matrix, times_ms = record_of(copies=5, seed=0)
    assert facts_of_positions(FeatureMatrix(matrix.names, matrix.rows[:, :decisions]), times_ms[:decisions]) == []


def test_one_key_has_nothing_to_agree_with():
    matrix, times_ms = record_of(copies=5, seed=0)
    kept = [number for number, name in enumerate(matrix.names) if name.startswith("symbol=")]
    names = tuple(matrix.names[number] for number in kept)
    assert facts_of_positions(FeatureMatrix(names, matrix.rows[kept]), times_ms) == []
