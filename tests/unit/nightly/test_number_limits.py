"""Patterns of numbers: their limits are learned in order of days, and read in the sentence."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import NUMBER_LIMITS
from tests.unit.nightly.nightly_agent import NightlyAgent

AGENT = "market-hunter"
FIRST = date(2026, 3, 1)
PER_DAY = 60


class Agent(NightlyAgent):
    """An agent whose signals succeed in four of five cases if the score of whales is above 0.8, else in half."""

    def __init__(self):
        super().__init__(FIRST + timedelta(days=100))

    def log_days(self, *days):
        for day in days:
            chance = random.Random(day.toordinal())
            decisions, outcomes = [], []
            for k in range(PER_DAY):
                at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=20 * k)
                score, cycle = chance.random(), (day - FIRST).days * PER_DAY + k
                decision_id = decision_id_for("SIGNAL_GENERATION", at, f"{day}-{k}")
                content = {"context": {"cycle": cycle}, "reasoning": {"scores": {"whales": score}}}
                decisions.append({"decision_type": "SIGNAL_GENERATION", **content, "decision_id": decision_id})
                wins = chance.random() < (0.8 if score > 0.8 else 0.5)
                outcomes.append({"decision_id": decision_id, "outcome": {}, "success": wins})
            self.record(decisions, outcomes)

    def patterns(self):
        return {one.pattern_id: one.data for one in self.memory.find("PATTERN")}

    def limits(self):
        state = self.stores.states.get(AGENT, NUMBER_LIMITS)
        return state.data if state else None


DAYS = [FIRST + timedelta(days=n) for n in range(15)]


@pytest.mark.slow
def test_a_high_score_reads_in_the_sentence():
    agent = Agent()
    agent.log_days(*DAYS)
    agent.learn(DAYS[-1])
    [pattern] = [one for one in agent.patterns().values() if one["status"] == "active"]
    assert pattern["description"].startswith("Signals where whales score is above 0.")
    assert " (top fifth) succeeded in " in pattern["description"]
    # The number of the cycle only says when it was.
    assert agent.limits()["SIGNAL_GENERATION"]["context.cycle"]["limits"] is None


@pytest.mark.slow
def test_limits_are_learned_from_the_first_values_and_stay():
    agent = Agent()
    seen = []
    for day in DAYS[:6]:
        agent.log_days(day)
        agent.learn(day)
        seen.append(agent.limits())
    assert seen[:3] == [None] * 3
    assert seen[3]["SIGNAL_GENERATION"]["reasoning.scores.whales"]["since"] == DAYS[3].isoformat()
    assert seen[3] == seen[4] == seen[5]


@pytest.mark.slow
def test_job_by_job_all_at_once_and_again_lead_to_the_same_memories():
    daily, at_once = Agent(), Agent()
    for day in DAYS:
        daily.log_days(day)
        daily.learn(day)
    at_once.log_days(*DAYS)
    at_once.learn(DAYS[-1])
    assert daily.limits() == at_once.limits()
    assert daily.patterns() == at_once.patterns()
    before = at_once.patterns()
    at_once.learn(DAYS[-1])
    assert at_once.patterns() == before
