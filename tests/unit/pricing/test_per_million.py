"""The cost of a million decisions, computed by hand."""

from dataclasses import fields, replace

import pytest

from agent_memory.pricing import per_million
from tests.workloads import DEPLOYMENT, UNITS, every_ten_minutes

NOTHING = {field.name: 0 for field in fields(UNITS) if field.name != "measured"}


def marginal(**units):
    one = replace(UNITS, **NOTHING) if not units else replace(UNITS, **(NOTHING | units))
    return float(per_million(every_ten_minutes(), DEPLOYMENT, units=one).marginal)


REQUESTS = marginal()


def test_requests_are_two_batches_for_six_decisions_and_a_read():
    assert pytest.approx((1 + 2 / 6) * (1.0 + 0.2)) == REQUESTS


@pytest.mark.parametrize(
    ("units", "usd"),
    [
        ({"log_units": 2, "outcome_units": 2, "expiry_units": 1}, 5 * 0.625),
        ({"read_units": 1, "nightly_read_units": 2}, 3 * 0.125),
        ({"stored_bytes": 2**30 / 1e6}, (0.25 + 0.20) * 90 / (365 / 12)),
        ({"link_bytes": 2**30 / 1e6}, (0.25 + 0.20) * 12),
        ({"archived_bytes": 2**30 / 1e6}, 0.023 * 335 / (365 / 12)),
        ({"api_seconds": 0.06}, 0.06 * (4 / 3) * 13.3334),
        ({"init_seconds": 2, "init_share": 0.01}, 0.02 * (4 / 3) * 13.3334),
        ({"batch_log_bytes": 2**30 / 1e6}, (0.50 + 0.03) / 3),
        ({"read_log_bytes": 2**30 / 1e6}, 0.50 + 0.03),
        ({"access_log_bytes": 2**30 / 1e6}, (0.50 + 0.03) * 4 / 3),
        ({"evidence_bytes": 2**30 / 1e6}, 0.023 * 31 * 180 / (365 / 12)),
        ({"cache_bytes": 2**30 / 1e6}, 0.01 * 4 / 3 / 2),
        ({"response_bytes": 2**30 / 1e6}, 0.09),
    ],
)
def test_each_part_of_a_million(units, usd):
    assert marginal(**units) - REQUESTS == pytest.approx(usd, rel=1e-6)


def test_tracing_costs_five_dollars_per_million_requests():
    traced = replace(DEPLOYMENT, traces_requests=True)
    cost = per_million(every_ten_minutes(), traced, units=replace(UNITS, **NOTHING)).marginal
    assert float(cost) - REQUESTS == pytest.approx(5 * 4 / 3)


def test_the_fixed_cost_is_divided_by_the_decisions():
    million = per_million(every_ten_minutes(), DEPLOYMENT, units=UNITS)
    assert million.at_workload - million.marginal == pytest.approx(million.fixed_usd * 1_000_000 / 25_920)
    at = every_ten_minutes(decisions_per_day=million.breaks_even_at / 30)
    break_even = per_million(at, DEPLOYMENT, units=UNITS)
    assert float(break_even.at_workload) == pytest.approx(float(break_even.agentcore_events), rel=1e-4)


def test_agentcore_bills_events_records_and_retrievals():
    million = per_million(every_ten_minutes(), DEPLOYMENT, units=UNITS)
    assert (million.agentcore_events, million.agentcore_records) == (500, 500 + 12 * 750 + 500)
