"""Patterns over many nightly jobs: how they emerge, become active, are deprecated and return."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.core.clock import FixedClock, day_start_ms, parse_instant
from agent_memory.core.ids import decision_id_for
from agent_memory.learning.cusum import max_mean_delay
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.nightly.pruning import prune
from tests.unit.nightly.nightly_agent import NightlyAgent

AGENT = "market-hunter"
FIRST = date(2026, 3, 1)
PER_DAY = 60
BASE = 0.5


class Agent(NightlyAgent):
    """An agent whose decisions in high volatility, a third of all, succeed at a rate that a test sets."""

    def __init__(self):
        super().__init__(FIRST + timedelta(days=300))
        self.chance = random.Random(5)
        self.days = 0

    def run_days(self, days, rate, **options):
        """Log decisions and run the nightly job for some more days; returns the last job's figures."""
        for _ in range(days):
            self._log_day(rate)
            self.days += 1
            figures = self.run_job(**options)
        return figures

    def run_job(self, **options):
        return self.learn(FIRST + timedelta(days=self.days - 1), **options)

    def patterns(self):
        return {memory.pattern_id: memory for memory in self.memory.find("PATTERN")}

    def high(self):
        return self.patterns().get("signal_generation+context.market.volatility=high")

    def statuses(self, memory):
        """The statuses that a memory has had, in order."""
        seen = [version.data["status"] for version in self.memory.history("PATTERN", memory.pattern_id)]
        return [status for before, status in zip([None, *seen], seen, strict=False) if status != before]

    def _log_day(self, rate):
        decision_inputs, outcome_inputs = [], []
        day = FIRST + timedelta(days=self.days)
        for k in range(PER_DAY):
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=20 * k)
            volatility = self.chance.choice(["low", "normal", "high"])
            context = {"market": {"volatility": volatility, "alias": volatility[0], "trend": self.chance.choice("ud")}}
            decision_id = decision_id_for("SIGNAL_GENERATION", at, f"{self.days}-{k}")
            decision_input = {"decision_type": "SIGNAL_GENERATION", "context": context, "reasoning": {}}
            decision_inputs.append({**decision_input, "decision_id": decision_id})
            wins = self.chance.random() < (rate if volatility == "high" else BASE)
            outcome_inputs.append({"decision_id": decision_id, "outcome": {}, "success": wins})
        self.record(decision_inputs, outcome_inputs)


@pytest.fixture
def agent():
    return Agent()


def rename_features(agent):
    """Store the patterns under `volatility=high`, which the search describes as `alias=h`."""
    for memory in agent.patterns().values():
        values = {"h": "high", "n": "normal", "l": "low"}
        letter = memory.data["features"][0][-1]
        features = [f"context.market.volatility={values[letter]}"]
        agent.memory.remove(memory, reason="renamed")
        data = {**memory.data, "confidence": memory.confidence, "features": features}
        agent.memory.put("PATTERN", f"signal_generation+{features[0]}", data)


@pytest.mark.slow
def test_a_synonym_found_by_the_search_changes_nothing(agent):
    agent.run_days(20, 0.8)
    assert set(agent.patterns()) >= {"signal_generation+context.market.alias=h"}
    rename_features(agent)
    known = agent.patterns()
    figures = agent.run_days(3, 0.8)
    assert set(agent.patterns()) == set(known)
    assert agent.high().data["status"] == "active"
    assert (figures["learned"], figures["deprecated"]) == (0, 0)


def alias(agent):
    return agent.patterns()["signal_generation+context.market.alias=h"]


@pytest.mark.slow
def test_sentences_are_in_the_words_that_the_agent_stored(agent):
    agent.memory.put(
        "CONFIGURATION",
        "wording",
        {
            "decisions": {"SIGNAL_GENERATION": "forecasts"},
            "success": {"SIGNAL_GENERATION": "came true"},
            "facts": {"context.market.alias": "when volatility is {value}"},
        },
    )
    figures = agent.run_days(12, 0.9)
    assert figures["wording_error"] is None
    assert alias(agent).data["description"].startswith("Forecasts when volatility is h came true in ")


@pytest.mark.slow
def test_words_that_are_not_valid_are_reported_and_not_used(agent):
    agent.memory.put("CONFIGURATION", "wording", {"facts": {"context.market.alias": ""}})
    figures = agent.run_days(12, 0.9)
    assert figures["wording_error"].startswith("facts.context.market.alias: ")
    assert alias(agent).data["description"].startswith("Signals in h-alias markets succeeded in ")


@pytest.mark.slow
def test_a_search_that_narrowly_misses_a_pattern_changes_only_figures(agent):
    agent.run_days(20, 0.8)
    rename_features(agent)
    before = agent.high()
    strict = PatternThresholds(familywise_error_rate=1e-300)
    assert agent.run_days(1, 0.8, thresholds=strict)["deprecated"] == 0
    after = agent.high()
    assert (after.data["status"], after.data["status_since"]) == ("active", before.data["status_since"])
    assert after.data["occurrences"] > before.data["occurrences"]
    assert after.data["adjusted_p_value"] == before.data["adjusted_p_value"]
    assert after.reason == "figures updated"


@pytest.mark.slow
def test_running_a_job_again_leads_to_the_same_memories(agent):
    for days, rate in ((18, 0.8), (12, 0.3)):
        for _ in range(days):
            agent.run_days(1, rate)
            before = {name: (memory.version, memory) for name, memory in agent.patterns().items()}
            figures = agent.run_job()
            assert {name: (memory.version, memory) for name, memory in agent.patterns().items()} == before
            assert (figures["learned"], figures["deprecated"], figures["revived"]) == (0, 0, 0)
    assert {memory.data["status"] for memory in agent.patterns().values()} >= {"deprecated"}


@pytest.mark.slow
def test_a_pattern_that_reverses_is_deprecated_within_the_delay_bound_and_active_again_when_it_returns(agent):
    agent.run_days(25, 0.8)
    rename_features(agent)
    log_odds = agent.high().data["watch"]["log_odds"]
    bound = max_mean_delay(BASE, log_odds, PatternThresholds().false_alarm_decisions)
    days = 0
    while agent.high().data["status"] == "active":
        agent.run_days(1, 0.2)
        days += 1
    assert days * PER_DAY / 3 <= bound
    deprecated = agent.high()
    assert deprecated.reason == "no longer holds, by its recent outcomes"
    agent.run_days(5, 0.2)
    assert agent.high().version == deprecated.version
    agent.run_days(15, 0.8)
    assert agent.statuses(deprecated) == ["active", "deprecated", "active"]
    assert agent.high().data["promoted_at"] == deprecated.data["promoted_at"]


@pytest.mark.slow
def test_a_pattern_that_is_discovered_but_not_confirmed_is_emerging(agent):
    figures = [agent.run_days(1, 0.68) for _ in range(30)]
    assert any(one["emerging"] for one in figures)
    histories = [agent.statuses(memory) for memory in agent.patterns().values()]
    assert ["emerging", "active"] in histories


async def test_analytics_return_what_the_job_would_store_with_its_status(agent):
    while not agent.run_days(1, 0.7)["emerging"]:
        assert agent.days < 40
    clock = FixedClock(day_start_ms(FIRST + timedelta(days=agent.days)))
    logger = DecisionLogger(AGENT, stores=agent.stores, clock=clock)
    analytics = MemoryAnalytics(logger, MemoryManager(AGENT, stores=agent.stores, clock=clock), clock=clock)
    found = {one["id"]: one["status"] for one in await analytics.identify_emerging_patterns(30)}
    known = {name: memory.data["status"] for name, memory in agent.patterns().items()}
    assert "emerging" in found.values()
    assert found == {name: status for name, status in known.items() if status != "active"}


@pytest.mark.slow
def test_confidence_follows_the_newest_decisions(agent):
    agent.run_days(20, 0.8)
    before = next(memory for name, memory in agent.patterns().items() if name.endswith("alias=h"))
    agent.run_days(6, 0.35)
    after = agent.patterns()[before.pattern_id]
    assert after.data["recent"]["effect"] < before.data["recent"]["effect"]
    assert after.data["recent"]["effect"] < after.data["effect"]


@pytest.mark.slow
def test_the_beginning_of_doubt_is_stored_and_leads_to_pruning(agent):
    agent.run_days(20, 0.8)
    name = "signal_generation+context.market.alias=h"
    never = PatternThresholds(false_alarm_decisions=1e300)
    while agent.patterns()[name].confidence >= 0.5:
        agent.run_days(1, 0.1, thresholds=never)
    since = agent.patterns()[name].data["doubtful_since"]
    agent.run_days(2, 0.1, thresholds=never)
    assert agent.patterns()[name].data["doubtful_since"] == since

    def due(days):
        day = FIRST + timedelta(days=agent.days - 3 + days)
        return prune(AGENT, day, agent.stores, dry_run=True)["due"]

    assert parse_instant(since, "since") == day_start_ms(FIRST + timedelta(days=agent.days - 2))
    assert name not in [one["pattern_id"] for one in due(29)]
    reason = "confidence below 0.5 for 30 days"
    assert {"memory_type": "PATTERN", "pattern_id": name, "reason": reason} in due(30)
    assert name in agent.patterns()


def test_two_facts_of_which_every_decision_has_one_are_one_pattern(agent):
    """The search states the rarer of them, which is another one every day."""
    for n in range(12):
        day = FIRST + timedelta(days=n)
        high = 18 if n == 0 else 22 if n % 2 else 17
        ids = [
            decision_id_for(
                "SIGNAL_GENERATION",
                datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=20 * k),
                f"{n}-{k}",
            )
            for k in range(39)
        ]
        is_high = [k < high for k in agent.chance.sample(range(39), 39)]
        agent.record(
            [
                {
                    "decision_type": "SIGNAL_GENERATION",
                    "context": {"market": {"volatility": "high" if one else "low"}},
                    "reasoning": {},
                    "decision_id": decision_id,
                }
                for decision_id, one in zip(ids, is_high, strict=True)
            ],
            [
                {"decision_id": decision_id, "outcome": {}, "success": agent.chance.random() < (0.8 if one else 0.4)}
                for decision_id, one in zip(ids, is_high, strict=True)
            ],
        )
        agent.learn(day)
    assert [memory.data["status"] for memory in agent.patterns().values()] == ["active"]
