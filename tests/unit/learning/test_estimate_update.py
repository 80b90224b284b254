"""An estimate after recent results is the posterior of all of them, whatever their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.estimate_update import RecentResult, with_recent
from agent_memory.learning.expected_results import expected_result

FACTS = [["m=a", "m=b"], ["v=x", "v=y"]]
FEATURES = ["m=a", "m=b", "v=x", "v=y", "m=a & v=x"]
CONTEXTS = st.sampled_from([frozenset(one) for one in ((), ("m=a",), ("m=a", "v=x"), ("m=b", "v=y"), ("z=1",))])


@st.composite
def estimates(draw):
    chance = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = len(FEATURES) + 1
    options = []
    for name in ("first", "second"):
        factor = chance.normal(0, 0.1, (size, size))
        covariance = factor @ factor.T + 1e-4 * np.eye(size)
        means = chance.normal(0.1, 0.1, size)
        options.append(
            {
                "option": name,
                "features": FEATURES,
                "means": means.tolist(),
                "covariance": covariance[np.tril_indices(size)].tolist(),
                "weight": 40.0,
            }
        )
    options.append({"option": "new", "features": [], "means": [], "covariance": [], "weight": 0})
    deviations = dict.fromkeys(("option", "fact", "option_fact", "option_facts"), 0.1)
    model = {"mean": 0.5, "variance": 0.01, "result_deviation": 0.5, "design_effect": 1.5, "deviations": deviations}
    return {"facts": FACTS, "success": {**model, "options": options}, "decisions": 40}


RESULTS = st.lists(
    st.tuples(
        st.sampled_from(["first", "second", "new", "absent"]), CONTEXTS, st.booleans(), st.sampled_from([1.0, 0.25])
    ),
    max_size=12,
)


def indicators(facts):
    return np.array([1.0, *(set(name.split(" & ")) <= facts for name in FEATURES)])


def posterior(option, results, variance):
    """The same in the form of precisions, all at once."""
    size = len(option["means"])
    covariance = np.zeros((size, size))
    covariance[np.tril_indices(size)] = option["covariance"]
    covariance += np.tril(covariance, -1).T
    precision = np.linalg.inv(covariance)
    products = precision @ np.array(option["means"])
    for facts, success, share in results:
        x = indicators(facts)
        precision = precision + share * np.outer(x, x) / variance
        products = products + share * x * success / variance
    after = np.linalg.inv(precision)
    return after @ products, after


@given(estimates(), RESULTS, st.randoms())
def test_it_is_the_posterior_of_all_results_in_any_order(estimate, results, chance):
    before = repr(estimate)
    recent = [RecentResult(option, facts, float(success), share) for option, facts, success, share in results]
    updated = with_recent(estimate, "success", recent)
    assert repr(estimate) == before
    for old, new in zip(estimate["success"]["options"][:2], updated["success"]["options"], strict=False):
        own = [(facts, success, share) for option, facts, success, share in results if option == old["option"]]
        means, covariance = posterior(old, own, 0.5**2 * 1.5)
        assert new["means"] == pytest.approx(means, abs=1e-7)
        assert new["covariance"] == pytest.approx(covariance[np.tril_indices(len(means))], abs=1e-7)
        assert new["weight"] == pytest.approx(old["weight"] + sum(share for *_, share in own))
    assert updated["success"]["options"][2] == estimate["success"]["options"][2]
    chance.shuffle(recent)
    again = with_recent(estimate, "success", recent)
    for one, other in zip(updated["success"]["options"], again["success"]["options"], strict=True):
        assert one["means"] == pytest.approx(other["means"], abs=1e-9)


@given(estimates(), CONTEXTS)
def test_success_raises_what_is_expected_where_it_happened(estimate, facts):
    updated = with_recent(estimate, "success", [RecentResult("first", facts, 1.0)] * 50)
    before, after = (expected_result(one, "success", "first", facts) for one in (estimate, updated))
    assert after.mean >= before.mean
    assert after.deviation < before.deviation
    assert expected_result(updated, "success", "second", facts) == expected_result(estimate, "success", "second", facts)
