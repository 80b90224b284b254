"""The example decision of the first design document, and its outcome."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "decision_type": "SOURCE_SELECTION",
    "context": {
        "market": {"volatility": "high", "trend": "bullish"},
        "cycle": 142,
        "trading_hours": "american",
    },
    "reasoning": {
        "scores": {"whaleMovements": 0.92, "derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives", "institutional"],
        "exploration_triggered": False,
    },
    "metadata": {"version": "1.0", "experiment_id": None},
}
OUTCOME: dict[str, Any] = {
    "outcome": {"success": True, "signals_generated": 2, "quality_score": 0.85, "latency_ms": 1200},
    "success": True,
}
