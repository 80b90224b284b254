"""Whatever an agent makes of a memory that the nightly job learned, the next job runs: it leaves that memory alone."""

from datetime import date, timedelta

import pytest

from agent_memory import Experiment, MemoryManager
from agent_memory.core.clock import day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.nightly.pruning import prune
from tests.unit.nightly.nightly_agent import NightlyAgent

FIRST = date(2026, 3, 1)
DAYS = 3
EXPERIMENT = Experiment("memory-pays", 0.5)
FIELDS = (
    "status",
    "status_since",
    "decision_type",
    "features",
    "judged_from_ms",
    "watch",
    "promoted_at",
    "doubtful_since",
    "began_ms",
    "found_at",
)
LEARNED = ("PATTERN", "STRATEGY", "ARCHETYPE", "ESTIMATE", "EXPERIMENT")


class Trader(NightlyAgent):
    """Wins where prices rise, whatever it does."""

    def __init__(self):
        super().__init__(FIRST + timedelta(days=DAYS + 1))
        for n in range(DAYS):
            made = [self._trade(n, k) for k in range(60)]
            self.record([one for one, _ in made], [outcome for _, outcome in made])
        self.learn(FIRST + timedelta(days=DAYS - 1))

    @staticmethod
    def _trade(n, k):
        at_ms, trend = day_start_ms(FIRST + timedelta(days=n)) + k * 1_200_000, ("up", "down")[k % 2]
        decision = {
            "decision_id": decision_id_for("TRADE", at_ms / 1000, f"{n} {k}"),
            "decision_type": "TRADE",
            "context": {"market": {"trend": trend}},
            "reasoning": {"strategy": ("breakout", "fade")[k // 2 % 2]},
            "metadata": EXPERIMENT.assign(f"{n} {k}").metadata(),
        }
        return decision, {"decision_id": decision["decision_id"], "outcome": {}, "success": trend == "up"}


@pytest.fixture(scope="module")
def trader():
    return Trader()


@pytest.mark.parametrize("to", [None, "text", -1, 0.5, [], {}, {"log_odds": "high"}])
def test_consolidation_succeeds_after_a_memory_was_edited(trader, to):
    memory = MemoryManager(trader.agent_id, stores=trader.stores, clock=trader.stores.clock).sync
    before = [(kind, one) for kind in LEARNED for one in memory.retrieve_ltm(kind)]
    assert {kind for kind, _ in before} == set(LEARNED)
    for name in FIELDS:
        changed = [(kind, one) for kind, one in before if name in one]
        assert changed
        for kind, one in changed:
            memory.store_ltm(kind, one["pattern_id"], {**one, name: to})
        trader.learn(FIRST + timedelta(days=DAYS - 1))
        for kind, one in before:
            memory.store_ltm(kind, one["pattern_id"], one)


@pytest.mark.parametrize("field", ["status_since", "doubtful_since"])
def test_a_time_that_is_none_stops_no_pruning(trader, field):
    memory = MemoryManager(trader.agent_id, stores=trader.stores, clock=trader.stores.clock).sync
    memory.store_ltm("PATTERN", "own", {"status": "deprecated", "confidence": 0.1, field: "last week"})
    assert prune(trader.agent_id, FIRST + timedelta(days=DAYS - 1), trader.stores)["pruned"] == 0
    assert memory.get_ltm("PATTERN", "own")[field] == "last week"
