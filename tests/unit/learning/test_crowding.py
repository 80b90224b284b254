"""How many agents acted on one memory within an hour, and how alike they decided."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import HOUR_MS
from agent_memory.learning.crowding import Act, crowding_of, how_alike, shared_candidates
from agent_memory.model.evidence import Evidence

MINUTE_MS = 60_000


def act(agent, minute, *features, memory_ids=("m",), decision_type="SIGNAL_GENERATION"):
    facts = tuple(sorted(features or ("reasoning.direction=long",)))
    row = Evidence(f"{agent}-{minute}", decision_type, minute * MINUTE_MS, None, facts, memory_ids=tuple(memory_ids))
    return Act(agent, row)


def test_agents_that_all_do_the_same_on_one_memory_are_a_crowd():
    acts = [act(f"agent-{n}", n) for n in range(5)]
    others = [
        act(f"agent-{n}", 200 + n, f"reasoning.direction={'long' if n % 2 else 'short'}", memory_ids=())
        for n in range(5)
    ]
    (found,) = crowding_of([*others, *acts], {})
    assert (found.memory_id, len(found.agents), found.decisions, found.alike) == ("m", 5, 5, 1.0)
    assert found.alike_otherwise == pytest.approx(4 / 10)  # of ten pairs one is short alike and three are long alike
    assert found.is_crowded


def test_four_agents_or_different_decisions_are_no_crowd():
    (few,) = crowding_of([act(f"agent-{n}", n) for n in range(4)], {})
    assert (len(few.agents), few.alike, few.is_crowded) == (4, 1.0, False)
    (mixed,) = crowding_of([act(f"agent-{n}", n, f"reasoning.action={n % 3}") for n in range(6)], {})
    assert (len(mixed.agents), mixed.is_crowded) == (6, False)
    (incomparable,) = crowding_of([act(f"agent-{n}", n, "context.market.trend=up") for n in range(6)], {})
    assert (incomparable.alike, incomparable.is_crowded) == (None, False)


def test_the_hour_with_the_most_agents_counts_wherever_it_begins():
    spread = [act(f"agent-{n}", 61 * n) for n in range(6)]
    assert crowding_of(spread, {}) == []
    (found,) = crowding_of([*spread, act("agent-7", 61 * 3 + 59), act("agent-8", 61 * 3 + 5)], {})
    assert (found.agents, found.start_ms) == (("agent-3", "agent-7", "agent-8"), 61 * 3 * MINUTE_MS)


def test_memories_of_an_agents_own_with_the_same_id_are_not_shared():
    acts = [act(f"agent-{n}", n) for n in range(6)]
    own = {f"agent-{n}": {"m"} for n in range(6)}
    assert shared_candidates(acts) == own
    assert crowding_of(acts, own) == []
    (found,) = crowding_of(acts, {"agent-0": {"m"}})  # the others read the memory of this one
    assert len(found.agents) == 6
    (found,) = crowding_of(acts, {"agent-0": {"m"}, "agent-1": {"m"}})
    assert found.agents == ("agent-2", "agent-3", "agent-4", "agent-5")


def test_nobody_else_on_a_memory_is_no_candidate():
    assert shared_candidates([act("a", 1), act("a", 2), act("b", 3, memory_ids=["n"])]) == {}


CHOSEN = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["long", "short", "flat"]), st.sampled_from(["source", "x"])),
    max_size=12,
)


def overlap_of_each_pair(acts):
    """The definition, pair by pair."""
    shares = {}
    for one in acts:
        for feature in one.decision.features:
            key, _, value = feature.partition("=")
            if key == "source":
                shares.setdefault(one.agent_id, []).append(value)
    pairs = [
        sum(min(one.count(value) / len(one), other.count(value) / len(other)) for value in {*one, *other})
        for one, other in combinations(shares.values(), 2)
    ]
    return sum(pairs) / len(pairs) if pairs else None


@given(CHOSEN)
def test_how_alike_is_the_mean_overlap_of_all_pairs(chosen):
    acts = [act(agent, n, f"{key}={value}") for n, (agent, value, key) in enumerate(chosen)]
    expected = overlap_of_each_pair(acts)
    assert how_alike(acts) == (expected if expected is None else pytest.approx(expected))


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 300)), max_size=25))
def test_no_hour_has_more_agents_than_the_one_that_is_reported(made):
    acts = [act(agent, minute) for agent, minute in made]
    starts = [one.decision.timestamp_ms for one in acts]
    most = max(
        (
            len({one.agent_id for one in acts if start <= one.decision.timestamp_ms < start + HOUR_MS})
            for start in starts
        ),
        default=0,
    )
    found = crowding_of(acts, {})
    assert [len(one.agents) for one in found] == ([most] if most >= 2 else [])
    assert crowding_of(acts[::-1], {}) == found
