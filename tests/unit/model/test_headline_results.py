"""What the headline outcome was at any earlier time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.outcomes import OutcomeUpdate, apply_outcome, current_outcomes, headline_results

DECISION = Decision("hunter", "d", "QUERY", 0, {}, {})

updates = st.lists(
    st.tuples(st.sampled_from([None, "1h", "exit"]), st.booleans(), st.booleans(), st.integers(0, 5)), max_size=8
)


@given(updates)
def test_the_results_are_those_that_were_the_headline_at_each_time(updates):
    decision, was = DECISION, []
    for n, (horizon, success, headline, late_ms) in enumerate(updates):
        now_ms = 100 * (n + 1)
        update = OutcomeUpdate(Outcome(success, {}, {}, now_ms - late_ms, horizon), amend=True, headline=headline)
        known = [one.horizon for one in current_outcomes(decision)]
        if horizon in known[1:]:  # an outcome that is not the headline: its time of becoming that is not recorded
            continue
        decision = apply_outcome(decision, update, now_ms)
        was.append((now_ms, decision.outcome.success))
    results = headline_results(decision)
    for at_ms, success in was:
        assert [one for known_ms, one in results if known_ms <= at_ms][-1] is success
    assert [known_ms for known_ms, _ in results] == sorted({known_ms for known_ms, _ in results})
    assert all(one[1] is not other[1] for one, other in pairwise(results))
