"""A pattern's life over many nights: it emerges, holds, is given up when it stops holding, and may come back."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.core.clock import FixedClock, day_start_ms, parse_instant
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.learning.change import mean_delay
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.pruning import prune
from agent_memory.storage.factory import in_memory_stores

AGENT = "market-hunter"
FIRST = date(2026, 3, 1)
PER_DAY = 60
BASE = 0.5


class Agent:
    """An agent whose decisions in high volatility, a third of all, succeed as often as a test says."""

    def __init__(self):
        clock = FixedClock(day_start_ms(FIRST + timedelta(days=300)))
        self.stores = in_memory_stores(clock)
        self.log = DecisionLog(AGENT, self.stores, clock)
        self.memory = LongTermMemory(AGENT, self.stores.memories, clock)
        self.chance = random.Random(5)
        self.days = 0

    def live(self, days, rate, **options):
        """So many days and nights more; returns the last night's figures."""
        for _ in range(days):
            self._decide(rate)
            self.days += 1
            figures = self.sleep(**options)
        return figures

    def sleep(self, **options):
        return consolidate(AGENT, FIRST + timedelta(days=self.days - 1), self.stores, **options)

    def patterns(self):
        return {memory.pattern_id: memory for memory in self.memory.find("PATTERN")}

    def high(self):
        return self.patterns().get("signal_generation+context.market.volatility=high")

    def statuses(self, memory):
        """The statuses that a memory went through, in order."""
        seen = [version.data["status"] for version in self.memory.history("PATTERN", memory.pattern_id)]
        return [status for before, status in zip([None, *seen], seen, strict=False) if status != before]

    def _decide(self, rate):
        drafts, reports = [], []
        day = FIRST + timedelta(days=self.days)
        for k in range(PER_DAY):
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=20 * k)
            volatility = self.chance.choice(["low", "normal", "high"])
            context = {"market": {"volatility": volatility, "alias": volatility[0], "trend": self.chance.choice("ud")}}
            decision_id = decision_id_for("SIGNAL_GENERATION", at, f"{self.days}-{k}")
            draft = {"decision_type": "SIGNAL_GENERATION", "context": context, "reasoning": {}}
            drafts.append({**draft, "decision_id": decision_id})
            wins = self.chance.random() < (rate if volatility == "high" else BASE)
            reports.append({"decision_id": decision_id, "outcome": {}, "success": wins})
        self.log.log(drafts)
        self.log.record_outcomes(reports)


@pytest.fixture
def agent():
    return Agent()


def rename_to_longer_words(agent):
    """Know the patterns under `volatility=high` where the search words them `alias=h`."""
    for memory in agent.patterns().values():
        words = {"h": "high", "n": "normal", "l": "low"}
        letter = memory.data["features"][0][-1]
        features = [f"context.market.volatility={words[letter]}"]
        agent.memory.remove(memory, reason="renamed")
        data = {**memory.data, "confidence": memory.confidence, "features": features}
        agent.memory.put("PATTERN", f"signal_generation+{features[0]}", data)


def test_other_words_for_the_same_decisions_change_nothing(agent):
    agent.live(20, 0.8)
    assert set(agent.patterns()) >= {"signal_generation+context.market.alias=h"}
    rename_to_longer_words(agent)
    known = agent.patterns()
    figures = agent.live(3, 0.8)
    assert set(agent.patterns()) == set(known)
    assert agent.high().data["status"] == "active"
    assert (figures["learned"], figures["deprecated"]) == (0, 0)


def test_a_search_that_misses_it_by_a_hair_changes_nothing_but_figures(agent):
    agent.live(20, 0.8)
    rename_to_longer_words(agent)
    before = agent.high()
    strict = PatternThresholds(false_discovery_rate=1e-300)
    assert agent.live(1, 0.8, thresholds=strict)["deprecated"] == 0
    after = agent.high()
    assert (after.data["status"], after.data["status_since"]) == ("active", before.data["status_since"])
    assert after.data["occurrences"] > before.data["occurrences"]
    assert after.data["q_value"] == before.data["q_value"]
    assert after.reason == "its figures of tonight"


@pytest.mark.slow
def test_the_same_night_twice_ends_in_the_same_memories(agent):
    for days, rate in ((18, 0.8), (12, 0.3)):
        for _ in range(days):
            agent.live(1, rate)
            once = {name: (memory.version, memory) for name, memory in agent.patterns().items()}
            figures = agent.sleep()
            assert {name: (memory.version, memory) for name, memory in agent.patterns().items()} == once
            assert (figures["learned"], figures["deprecated"], figures["revived"]) == (0, 0, 0)
    assert {memory.data["status"] for memory in agent.patterns().values()} >= {"deprecated"}


@pytest.mark.slow
def test_what_turns_around_is_given_up_within_the_declared_delay_and_comes_back_when_it_holds_again(agent):
    agent.live(25, 0.8)
    rename_to_longer_words(agent)
    log_odds = agent.high().data["watch"]["log_odds"]
    declared = mean_delay(BASE, log_odds, PatternThresholds().false_alarm_decisions)
    days = 0
    while agent.high().data["status"] == "active":
        agent.live(1, 0.2)
        days += 1
    assert days * PER_DAY / 3 <= declared
    given_up = agent.high()
    assert given_up.reason == "not holding any more, as its decisions since show"
    agent.live(5, 0.2)
    assert agent.high().version == given_up.version
    agent.live(15, 0.8)
    assert agent.statuses(given_up) == ["active", "deprecated", "active"]
    assert agent.high().data["promoted_at"] == given_up.data["promoted_at"]


def test_what_stands_out_but_is_not_borne_out_yet_is_emerging(agent):
    figures = [agent.live(1, 0.7) for _ in range(30)]
    assert any(night["emerging"] for night in figures)
    lives = [agent.statuses(memory) for memory in agent.patterns().values()]
    assert ["emerging", "active"] in lives


async def test_analytics_name_what_the_night_would_store_with_its_status(agent):
    while not agent.live(1, 0.7)["emerging"]:
        assert agent.days < 40
    clock = FixedClock(day_start_ms(FIRST + timedelta(days=agent.days)))
    logger = DecisionLogger(AGENT, stores=agent.stores, clock=clock)
    analytics = MemoryAnalytics(logger, MemoryManager(AGENT, stores=agent.stores, clock=clock), clock=clock)
    told = {one["id"]: one["status"] for one in await analytics.identify_emerging_patterns(30)}
    known = {name: memory.data["status"] for name, memory in agent.patterns().items()}
    assert "emerging" in told.values()
    assert told == {name: status for name, status in known.items() if status != "active"}


def test_confidence_follows_the_newest_decisions(agent):
    agent.live(20, 0.8)
    before = next(memory for name, memory in agent.patterns().items() if name.endswith("alias=h"))
    agent.live(6, 0.35)
    after = agent.patterns()[before.pattern_id]
    assert after.data["recent"]["effect"] < before.data["recent"]["effect"]
    assert after.data["recent"]["effect"] < after.data["effect"]


def test_doubt_is_noted_when_it_begins_and_ends_in_pruning(agent):
    agent.live(20, 0.8)
    name = "signal_generation+context.market.alias=h"
    never = PatternThresholds(false_alarm_decisions=1e300)
    while agent.patterns()[name].confidence >= 0.5:
        agent.live(1, 0.1, thresholds=never)
    since = agent.patterns()[name].data["doubtful_since"]
    agent.live(2, 0.1, thresholds=never)
    assert agent.patterns()[name].data["doubtful_since"] == since

    def due(days):
        day = FIRST + timedelta(days=agent.days - 3 + days)
        return prune(AGENT, day, agent.stores, dry_run=True)["due"]

    assert parse_instant(since, "since") == day_start_ms(FIRST + timedelta(days=agent.days - 2))
    assert name not in [one["pattern_id"] for one in due(29)]
    reason = "confidence below 0.5 for 30 days"
    assert {"memory_type": "PATTERN", "pattern_id": name, "reason": reason} in due(30)
    assert name in agent.patterns()
