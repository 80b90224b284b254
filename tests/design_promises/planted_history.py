"""Weeks of decisions in which one source is better in one market, and the nightly job after them."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import uuid4

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager, decision_id_for
from tests.local.nightly_job import run_nightly_job

DAYS, CYCLES_PER_DAY = 25, 40
WHALES, OTHERS = "whaleMovements", ("derivatives", "institutional", "sentiment")
RIGHT_IN_BULLISH, RIGHT_ELSEWHERE = 0.75, 0.45
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(days=1)


@dataclass(frozen=True)
class PlantedAgent:
    """The agent after its nightly job, which `execution` describes."""

    agent_id: str
    stores: object
    execution: dict
    _kept: dict = field(default_factory=dict)

    @cached_property
    def memory(self):
        return MemoryManager(self.agent_id, stores=self.stores)

    @cached_property
    def logger(self):
        return DecisionLogger(self.agent_id, memory_manager=self.memory)

    @cached_property
    def analytics(self):
        return MemoryAnalytics(self.logger, self.memory)

    async def report(self):
        """The performance report, which is generated once."""
        if "report" not in self._kept:
            self._kept["report"] = await self.analytics.generate_performance_report(None)
        return self._kept["report"]


def plant_history(cloud, stores):
    """Log the history, and run the deployed nightly job of yesterday, which makes up for the days before."""
    agent_id = f"planted-{uuid4().hex[:12]}"
    logger = DecisionLogger(agent_id, memory_manager=MemoryManager(agent_id, stores=stores)).sync
    decisions, outcomes = [], []
    for selection, signals in _cycles():
        decisions += [selection[0], *(decision for decision, _ in signals)]
        outcomes += [selection[1], *(outcome for _, outcome in signals)]
    for n in range(0, len(decisions), 100):
        assert {one["status"] for one in logger.log_decisions(decisions[n : n + 100])} == {"created"}
        assert {one["status"] for one in logger.log_outcomes(outcomes[n : n + 100])} == {"recorded"}
    execution = run_nightly_job(cloud, {"date": YESTERDAY.date().isoformat(), "agents": [agent_id]})
    assert execution["status"] == "SUCCEEDED", execution
    return PlantedAgent(agent_id, stores, execution)


def _cycles():
    """Each cycle's selection and signals, all of them pairs of a decision and its outcome."""
    chance = random.Random(17)
    for n in range(DAYS * CYCLES_PER_DAY):
        day, cycle = divmod(n, CYCLES_PER_DAY)
        at = TODAY - timedelta(days=DAYS - day) + timedelta(minutes=1_440 // CYCLES_PER_DAY * cycle)
        market = {"trend": chance.choice(["bullish", "bearish"]), "volatility": chance.choice(["high", "low"])}
        exploits = chance.random() < 0.5
        selected = [WHALES, chance.choice(OTHERS)] if exploits else chance.sample(OTHERS, 2)
        reasoning = {"selected": selected, "strategy": "exploitation" if exploits else "exploration"}
        selection = _decided("SOURCE_SELECTION", at, "selection", market, reasoning, success=True)
        parent = selection[0]["decision_id"]
        signals = []
        for source in selected:
            is_planted = source == WHALES and market["trend"] == "bullish"
            success = chance.random() < (RIGHT_IN_BULLISH if is_planted else RIGHT_ELSEWHERE)
            reasoning = {"source": source, "direction": chance.choice(["long", "short"])}
            later = at + timedelta(seconds=30)
            links = {"parent_ids": [parent], "memory_ids": chance.choice([[], ["named_by_a_coin"]])}
            signals.append(_decided("SIGNAL_GENERATION", later, source, market, reasoning, success, **links))
        yield selection, signals


def _decided(decision_type, at, step, market, reasoning, success, **more):
    decision_id = decision_id_for(decision_type, at, step)
    decision = {
        "decision_id": decision_id,
        "decision_type": decision_type,
        "context": {"market": market},
        "reasoning": reasoning,
        **more,
    }
    known = at + timedelta(minutes=2)
    return decision, {"decision_id": decision_id, "outcome": {}, "success": success, "timestamp": known.timestamp()}
