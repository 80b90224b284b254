"""What is an estimate: anybody may store a memory under the id of one."""

import math
from copy import deepcopy
from dataclasses import astuple

import pytest

from agent_memory.cli.console.heat_map import heat_map
from agent_memory.core.errors import Damaged
from agent_memory.learning.estimate_update import RecentResult, with_recent
from agent_memory.learning.expected_results import check_estimate, expected_result, packed
from agent_memory.model.listings import parsed

OPTION = {
    "option": "fade",
    "features": ["context.market.trend=up"],
    "means": [0.5, 0.1],
    "covariance": [0.01, 0.0, 0.01],
    "weight": 10.0,
}
MODEL = {
    "half_life_days": 30.0,
    "mean": 0.5,
    "variance": 0.01,
    "result_deviation": 0.5,
    "design_effect": 1.0,
    "deviations": {"option": 0.1, "fact": 0.1, "option_fact": 0.1},
    "options": [OPTION],
}
ESTIMATE = {
    "choice": "reasoning.strategy",
    "decision_type": "TRADE",
    "decisions": 10,
    "facts": [["context.market.trend=up"]],
    "success": MODEL,
    "reward": {"path": "outcome.pnl", **MODEL},
}
OPTIONAL = {("success",), ("reward",), ("success", "design_effect"), ("reward", "design_effect")}


def paths(value, path=()):
    """The paths of all members, those of lists included."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from paths(member, (*path, name))


def changed(value, path, to):
    """The value with what is at the path replaced, or left out if `to` is None."""
    name, *rest = path
    if isinstance(value, list):
        items = [changed(one, rest, to) if n == name and rest else one for n, one in enumerate(value)]
        return items if rest else [*items[:name], *([] if to is None else [to]), *items[name + 1 :]]
    others = {key: member for key, member in value.items() if key != name}
    if rest:
        return {**value, name: changed(value[name], rest, to)}
    return others if to is None else {**others, name: to}


def use(estimate):
    for result in ("success", "reward"):
        for option in ("fade", "follow"):
            expected_result(estimate, result, option, {"context.market.trend=up"})
        if result in estimate:
            with_recent(estimate, result, [RecentResult("fade", {"context.market.trend=up"}, 1.0)])
    return heat_map({**estimate, "pattern_id": "TRADE:reasoning.strategy"})


def test_an_estimate_passes():
    check_estimate(ESTIMATE)
    assert use(ESTIMATE) is not None


@pytest.mark.parametrize("to", [None, "text", 5, -1, [], {}, True])
def test_whatever_is_changed_in_an_estimate_can_be_used_or_is_refused(to):
    refused = 0
    for path in paths(ESTIMATE):
        other = changed(ESTIMATE, path, to)
        try:
            parsed("it", check_estimate, other)
        except Damaged:
            refused += 1
        else:
            use(other)
    assert refused


@pytest.mark.parametrize("path", [one for one in paths(ESTIMATE) if all(isinstance(name, str) for name in one)])
def test_an_estimate_has_all_its_fields(path):
    if path in OPTIONAL:
        check_estimate(changed(ESTIMATE, path, None))
    else:
        with pytest.raises((ValueError, KeyError)):
            check_estimate(changed(ESTIMATE, path, None))


def with_covariance(covariance):
    other = deepcopy(ESTIMATE)
    other["success"]["options"][0]["covariance"] = covariance
    return other


def test_packed_covariances_say_the_same_as_a_list_of_them():
    deviation = ESTIMATE["success"]["result_deviation"]
    listed = ESTIMATE["success"]["options"][0]["covariance"]
    estimate = with_covariance(packed(one / deviation**2 for one in listed))
    check_estimate(estimate)
    option = estimate["success"]["options"][0]["option"]
    facts = {"context.market.trend=up"}

    def expected(of):
        return astuple(expected_result(of, "success", option, facts))

    assert expected(estimate) == pytest.approx(expected(ESTIMATE), rel=1e-6)
    results = [RecentResult(option, facts, 1.0)]
    after, exactly_after = (with_recent(one, "success", results) for one in (estimate, ESTIMATE))
    assert expected(after) == pytest.approx(expected(exactly_after), rel=1e-6)
    check_estimate(after)


@pytest.mark.parametrize(
    "covariance",
    [
        packed([1.0] * 2),
        packed([1.0] * 4),
        packed([1.0, math.nan, 1.0]),
        packed([1.0, math.inf, 1.0]),
        packed([1.0] * 3)[:-1],
        packed([1.0] * 3)[:-4],
        "AAAA AAAA AAAA AA==",
        "é",
    ],
)
def test_a_text_that_does_not_hold_the_covariances_is_refused(covariance):
    with pytest.raises(Damaged):
        parsed("it", check_estimate, with_covariance(covariance))
