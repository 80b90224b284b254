import pytest

from trading_agents.market_hunter.patterns import source_patterns


def test_a_pattern_needs_twenty_signals_and_has_a_confidence():
    def decisions(wins, losses, **more):
        one = {"reasoning": {"source": "a"}, "context": {"market": "bullish"}, **more}
        return [{**one, "success": True}] * wins + [{**one, "success": False}] * losses

    assert source_patterns(decisions(19, 0)) == []
    (pattern,) = source_patterns([*decisions(15, 5), *decisions(0, 0), {**decisions(1, 0)[0], "success": None}])
    # Sign test with continuity correction: z = 4.5 / sqrt(5).
    assert (pattern["sample_size"], pattern["confidence"]) == (20, pytest.approx(0.977915, abs=1e-5))
    assert source_patterns(decisions(10, 10))[0]["confidence"] == 0.5
