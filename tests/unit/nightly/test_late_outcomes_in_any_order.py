"""Outcomes arrive late, are amended or never arrive, and jobs run in any order: memories are those of jobs in time.

The same decisions and outcomes are recorded twice: each job right after its day, and all jobs after everything.
"""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, Span, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.evidence import known_evidence
from agent_memory.nightly.rebuild import forget_learning_since
from agent_memory.nightly.stored_memories import LEARNED
from agent_memory.storage.factory import in_memory_stores

AGENT = "hunter"
FIRST = date(2026, 3, 1)
DAYS, PER_DAY = 22, 16
DELAYS = (0, 0, 0, 0, 1, 2, 5, 9, 18, None)  # days; None: never


def day_of(n):
    return FIRST + timedelta(days=n)


def events(seed):
    """What is recorded on each day: decisions, and outcomes of that and earlier days."""
    chance = random.Random(seed)
    decisions, outcomes = ([[] for _ in range(DAYS)] for _ in range(2))
    for n in range(DAYS):
        for k in range(PER_DAY):
            ms = day_start_ms(day_of(n)) + HOUR_MS + k * 60_000
            decision_id = decision_id_for("QUERY", ms / 1000, f"{n} {k}")
            volatility = chance.choice(["low", "high"])
            decisions[n].append(
                {
                    "decision_id": decision_id,
                    "decision_type": "QUERY",
                    "context": {"market": {"volatility": volatility}},
                    "reasoning": {"selected": ["whales"]},
                    "metadata": {"strategy": chance.choice(["trend", "range"])},
                }
            )
            success, delay = chance.random() < (0.95 if volatility == "high" else 0.2), chance.choice(DELAYS)
            amended = chance.choice([None] * 4 + [0, 1, 4, 12])
            # Of half of the amendments only the numbers differ.
            for after, value, amend in ((0, success, False), (amended, success is chance.choice([True, False]), True)):
                if delay is not None and after is not None and n + delay + after < DAYS:
                    earned = {"pnl": round(chance.gauss(1.0 if value else -1.0, 1.0), 2)}
                    outcomes[n + delay + after].append(
                        {"decision_id": decision_id, "outcome": earned, "success": value, "amend": amend}
                    )
    return decisions, outcomes


class Agent:
    """An agent on a clock that moves from day to day."""

    def __init__(self):
        self.clock = FixedClock(day_start_ms(FIRST))
        self.stores = in_memory_stores(self.clock)
        self.log = DecisionLog(AGENT, self.stores, self.clock)

    def live(self, recorded, n):
        """Record what is recorded on a day, in its evening."""
        decisions, outcomes = recorded
        self.clock.advance(day_start_ms(day_of(n)) + 22 * HOUR_MS - self.clock.now_ms())
        self.log.log(decisions[n])
        for one in outcomes[n]:  # one after another: an amendment may follow on the same day
            self.clock.advance(1)
            self.log.record_outcome(one)
        self.clock.advance(3 * HOUR_MS)

    def job(self, n):
        return consolidate(AGENT, day_of(n), self.stores)

    def rebuild(self, n):
        return forget_learning_since(AGENT, day_of(n), self.stores, by="alice", reason="again")

    def learned(self):
        """What is known now, without version numbers."""
        return {
            (kind, one.pattern_id): (one.confidence, one.data)
            for kind in LEARNED
            for one in self.stores.memories.by_confidence(AGENT, kind)
        }

    def memories(self, n):
        """Every version of every memory, what was known after each day up to one, and the evidence at its end."""
        long_term = LongTermMemory(AGENT, self.stores.memories, self.clock)
        versions = {kind: [one.as_dict() for one in self.stores.memories.all_versions(AGENT, kind)] for kind in LEARNED}
        known = {
            (kind, day): [one.as_dict() for one in long_term.find(kind, as_of=day_start_ms(day_of(day + 1)) / 1000)]
            for kind in LEARNED
            for day in range(n + 1)
        }
        end_ms = day_start_ms(day_of(n)) + DAY_MS
        evidence = list(known_evidence(self.stores.evidence.read(AGENT, Span(0, end_ms)), end_ms))
        return versions, known, evidence


def live_agent(seed, days=DAYS):
    agent, recorded = Agent(), events(seed)
    for n in range(days):
        agent.live(recorded, n)
        agent.job(n)
    return agent


def recorded_agent(seed):
    agent, recorded = Agent(), events(seed)
    for n in range(DAYS):
        agent.live(recorded, n)
    return agent


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 99), days=st.lists(st.integers(0, DAYS - 1), min_size=1, max_size=6))
def test_jobs_in_any_order_after_everything_learn_what_they_would_have_learned_in_time(seed, days):
    last = max(days)
    agent = recorded_agent(seed)
    for n in days:
        agent.job(n)
    assert agent.memories(last) == live_agent(seed, last + 1).memories(last)


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 99),
    jobs=st.dictionaries(st.integers(0, DAYS - 1), st.lists(st.integers(0, DAYS - 1), max_size=3), max_size=5),
)
def test_jobs_between_the_days_in_any_order_learn_the_same(seed, jobs):
    """After some of the days, jobs of days that have ended run; the last day's job comes at the end."""
    agent, recorded = Agent(), events(seed)
    for n in range(DAYS):
        agent.live(recorded, n)
        for day in jobs.get(n, []):
            agent.job(min(day, n))
    agent.job(DAYS - 1)
    assert agent.memories(DAYS - 1) == live_agent(seed).memories(DAYS - 1)


@pytest.mark.slow
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 99), since=st.lists(st.integers(0, DAYS - 1), min_size=1, max_size=2))
def test_a_replay_of_all_jobs_since_a_day_learns_what_they_had_learned(seed, since):
    agent = live_agent(seed)
    before = agent.learned()
    assert before
    for n in since:
        agent.rebuild(n)
        figures = agent.job(DAYS - 1)
        assert figures["days"] >= DAYS - n
        assert agent.learned() == before
