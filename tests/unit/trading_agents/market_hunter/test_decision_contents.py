"""What the decisions of the market hunter contain: all that the design lists for each type."""

from datetime import UTC, datetime
from itertools import count

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.market_hunter.hunter_samples import HOUR, SOURCES, START, market
from trading_agents import BAR_SOURCES, MemoryAwareMarketHunterAgent
from trading_agents.market_hunter.reasoning import action_of
from trading_agents.market_hunter.trading_hours import trading_hours


@pytest.fixture
async def decisions():
    """The decisions of eight cycles, of the last one by type, with a timer that takes a second a look."""
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    ticks = count()
    agent = MemoryAwareMarketHunterAgent(
        "hunter",
        0.1,
        memory,
        logger,
        sources=SOURCES,
        exploration_rate=0.0,
        target_agents=["trader", "risk"],
        timer=lambda: float(next(ticks)),
    )
    context = {"trend": "bullish", "volatility": "high"}
    for n in range(8):
        await agent.run_cycle_with_memory(market(n, context), 2)
    return {one["decision_type"]: one for one in await logger.query_decisions(context_filter={"cycle": 7})}


async def test_all_have_market_cycle_and_trading_hours(decisions):
    for one in decisions.values():
        assert one["context"]["market"] == {"trend": "bullish", "volatility": "high"}
        assert one["context"]["cycle"] == 7
        assert one["context"]["trading_hours"] == "european"  # START + 7 h


async def test_a_selection_explains_its_scores(decisions):
    selection = decisions["SOURCE_SELECTION"]
    assert selection["reasoning"]["judged"] == {"always_right": 7, "always_wrong": 7, "silent": 0, "steady": 7}
    assert selection["reasoning"]["scores"]["always_right"] > 0.7
    assert {"propensities", "exploration_triggered", "strategy", "selected"} <= selection["reasoning"].keys()
    assert selection["outcome"]["signals_generated"] == len(selection["outcome"]["signals"]) == 2
    assert selection["metrics"]["quality"] > 0
    assert selection["metrics"]["latency_ms"] > 1_000


async def test_a_query_has_parameters_priority_and_fallback(decisions):
    query = decisions["QUERY"]
    assert query["reasoning"] == {
        "sources": list(SOURCES),
        "parameters": {"ask": "all", "max_sources": 2},
        "priority": {"always_right": 1, "steady": 2, "silent": 3, "always_wrong": 4},
        "fallback": "next_best",
    }
    assert query["metrics"]["latency_ms"] == 1_000


async def test_a_signal_has_targets_actions_and_the_basis_of_its_confidence(decisions):
    signal = decisions["SIGNAL_GENERATION"]  # the last one, of a source that was not selected, comes first
    reasoning = signal["reasoning"]
    assert reasoning["question"] == "direction"
    assert reasoning["confidence_from"]["judged"] == 7
    assert reasoning["threshold"] <= abs(reasoning["reading"])
    assert 0 < reasoning["confidence"] < 1
    direction = {"long": "buy", "short": "sell"}[reasoning["direction"]]
    targets = [{"agent": name, "action": direction} for name in ("trader", "risk")]
    assert reasoning["targets"] == (targets if reasoning["chosen"] else [])
    assert signal["metadata"]["latency_ms"] > 1_000


async def test_learning_has_the_changes_and_what_was_explored(decisions):
    reasoning = decisions["LEARNING"]["reasoning"]
    assert reasoning["before"] != reasoning["after"]
    assert (reasoning["learning_rate"], reasoning["exploration_rate"]) == (0.1, 0.0)
    assert reasoning["exploration_triggered"] is False


@pytest.mark.parametrize(
    ("hour", "name"),
    [(0, "asian"), (6, "asian"), (7, "european"), (12, "european"), (13, "american"), (20, "american"), (21, "asian")],
)
def test_trading_hours(hour, name):
    assert trading_hours(datetime(2026, 11, 20, hour, 59, tzinfo=UTC)) == name


@pytest.mark.parametrize(
    ("says", "action"),
    [
        ({"direction": "long"}, "buy"),
        ({"direction": "short"}, "sell"),
        ({"forecast": "large_move", "expected": True}, "expect large_move"),
        ({"forecast": "large_move", "expected": False}, "expect no large_move"),
    ],
)
def test_what_a_forecast_asks_for(says, action):
    assert action_of(says) == action


def test_each_question_of_the_bar_sources_has_an_action():
    for source in BAR_SOURCES.values():
        assert getattr(source, "answers", None)
