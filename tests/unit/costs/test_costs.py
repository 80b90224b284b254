from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.costs import Prices, Workload, load_prices, monthly_cost
from agent_memory.errors import InvalidInput
from tests.workloads import every_ten_minutes

PRICES = load_prices()


def cost_of(service: str, part: str, workload: Workload) -> Decimal:
    lines = [line for line in monthly_cost(workload, PRICES).lines if line.service == service and part in line.usage]
    assert len(lines) == 1, f"{service} with {part!r}: {lines}"
    return lines[0].monthly_usd


def test_the_ten_minute_agent_logs_25_920_decisions_a_month() -> None:
    assert every_ten_minutes().decisions == 25_920


def test_the_ten_minute_agent_costs_less_than_twenty_dollars_with_everything_on() -> None:
    assert Decimal(10) < monthly_cost(every_ten_minutes(), PRICES).total_usd < Decimal(20)


@pytest.mark.parametrize(
    ("service", "part", "changes", "usd"),
    [
        ("DynamoDB", "write units", {"write_units_per_decision": 100, "nightly_write_units": 0}, "1.62"),
        ("DynamoDB", "read units", {"reads": 100e6, "nightly_read_units": 0}, "12.50"),
        ("DynamoDB", "stored", {"item_bytes": 2**30 / 864}, "40.50"),  # 90 GB at 0.25 + 0.20
        ("ElastiCache", "node", {"cache_node_hours": 730}, "9.35"),
        ("CloudWatch", "1 dashboard", {"dashboards": 1}, "3.00"),
        ("CloudWatch", "custom metrics", {"custom_metrics": 9}, "2.70"),
        ("CloudWatch", "alarms", {"alarms": 14}, "1.40"),
        ("CloudWatch", "logs", {"log_bytes": 5 * 2**30}, "2.65"),
        ("API Gateway", "requests", {"api_requests": 1_991_360}, "2.00"),
        ("Step Functions", "transitions", {"nightly_transitions": 1000}, "0.75"),
        ("EventBridge Scheduler", "invocations", {}, "0.01"),
        ("X-Ray", "traces", {"traces": 1_000_000}, "5.00"),
    ],
)
def test_a_line_is_quantity_times_list_price(service: str, part: str, changes: dict[str, float], usd: str) -> None:
    assert cost_of(service, part, every_ten_minutes(**changes)) == Decimal(usd)


def test_lambda_bills_requests_and_gb_seconds() -> None:
    workload = every_ten_minutes(api_requests=1_000_000 - 8_640 - 150, api_gb_seconds=0, nightly_gb_seconds=1e5)
    # 1,000,000 requests, and 3,000,000 GB-seconds in 30 nights
    assert cost_of("Lambda", "GB-seconds", workload) == Decimal("40.21")


def test_small_archive_objects_stay_in_standard_storage() -> None:
    workload = every_ten_minutes(archive_bytes_per_decision=52)
    assert workload.archive_object_bytes < 128 * 1024
    assert "too small for Glacier" in archive_usage(workload)


def test_large_archive_objects_move_to_glacier_and_cost_less() -> None:
    a_hundred = {"agents": 100, "decisions_per_day": 86_400}
    just_below = every_ten_minutes(archive_bytes_per_decision=151, **a_hundred)
    large = every_ten_minutes(archive_bytes_per_decision=152, **a_hundred)
    assert "in Glacier" in archive_usage(large)
    assert cost_of("S3", "archive", large) < cost_of("S3", "archive", just_below)


def archive_usage(workload: Workload) -> str:
    return next(line.usage for line in monthly_cost(workload, PRICES).lines if line.service == "S3")


def test_an_assumed_figure_is_named_on_its_line_and_nowhere_else() -> None:
    cost = monthly_cost(every_ten_minutes(assumed=frozenset({"log_bytes"})), PRICES)
    saying_so = [line for line in cost.lines if "assumed" in line.usage]
    assert [line.usage.split(",")[0] for line in saying_so] == ["572 MB of logs"]
    assert saying_so[0].usage.endswith("(assumed: log bytes)")


def test_as_dict_is_what_the_report_shows() -> None:
    cost = monthly_cost(every_ten_minutes(), PRICES).as_dict()
    assert set(cost) == {"scenario", "price_date", "lines", "total_usd", "notes"}
    assert all(set(line) == {"service", "usage", "monthly_usd"} for line in cost["lines"])
    assert cost["total_usd"] == pytest.approx(sum(line["monthly_usd"] for line in cost["lines"]))
    assert cost["price_date"] == "2025-05-19 to 2026-10-02"


def test_prices_without_a_dated_source_are_named_in_the_notes() -> None:
    assert PRICES.unconfirmed
    notes = " ".join(monthly_cost(every_ten_minutes(), PRICES).notes)
    for name in PRICES.unconfirmed:
        assert name.replace("_", " ") in notes


def test_prices_that_are_all_undated_say_so() -> None:
    undated = {name: replace(price, confirmed=None) for name, price in PRICES.prices.items()}
    cost = monthly_cost(every_ten_minutes(), Prices("us-east-1", undated, ""))
    assert cost.price_date == "no dated source"


def test_every_price_names_its_page_and_where_it_was_seen() -> None:
    for name, price in PRICES.prices.items():
        assert price.usd > 0, name
        assert price.page.startswith("https://aws.amazon.com/"), name
        assert price.seen, name


def test_a_region_without_prices_is_refused() -> None:
    with pytest.raises(InvalidInput, match="mars-north-1"):
        load_prices("mars-north-1")


@pytest.mark.parametrize(
    ("field", "value"),
    [("reads", -1), ("item_bytes", float("nan")), ("log_bytes", float("inf")), ("batch_size", 0)],
)
def test_a_workload_refuses_what_no_month_can_be(field: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=field):
        every_ten_minutes(**{field: value})


def test_a_workload_refuses_an_assumption_about_no_field_of_its_own() -> None:
    with pytest.raises(InvalidInput, match="weather"):
        every_ten_minutes(assumed=frozenset({"weather"}))


QUANTITIES = {
    "decisions_per_day": st.floats(0, 1e6),
    "write_units_per_decision": st.floats(0, 100),
    "reads": st.floats(0, 1e9),
    "read_units_per_read": st.floats(0, 100),
    "item_bytes": st.floats(0, 4e5),
    "archive_bytes_per_decision": st.floats(0, 1e5),
    "agents": st.integers(1, 100),
    "nightly_write_units": st.floats(0, 1e6),
    "nightly_read_units": st.floats(0, 1e6),
    "nightly_gb_seconds": st.floats(0, 1e5),
    "nightly_transitions": st.floats(0, 1e4),
    "batch_size": st.integers(1, 100),
    "api_requests": st.floats(0, 1e9),
    "api_gb_seconds": st.floats(0, 10),
    "log_bytes": st.floats(0, 1e12),
    "alarms": st.integers(0, 200),
    "dashboards": st.integers(0, 20),
    "custom_metrics": st.integers(0, 500),
    "cache_node_hours": st.floats(0, 1e4),
    "traces": st.floats(0, 1e9),
}
WORKLOADS = st.fixed_dictionaries(QUANTITIES).map(lambda changes: every_ten_minutes(**changes))
# A larger batch makes fewer requests; a larger or fuller archive object may move to Glacier and cost less.
GROWING = sorted(set(QUANTITIES) - {"batch_size"})


@given(WORKLOADS)
def test_lines_are_whole_cents_not_negative_and_add_up_to_the_total(workload: Workload) -> None:
    cost = monthly_cost(workload, PRICES)
    assert cost.total_usd == sum(line.monthly_usd for line in cost.lines)
    for line in cost.lines:
        assert line.monthly_usd >= 0
        assert line.monthly_usd == line.monthly_usd.quantize(Decimal("0.01"))


@given(WORKLOADS, st.sampled_from(GROWING), st.integers(1, 5))
def test_more_of_anything_never_costs_less_outside_the_archive(workload: Workload, field: str, factor: int) -> None:
    grown = replace(workload, **{field: getattr(workload, field) * factor})
    assert without_archive(grown) >= without_archive(workload)


def without_archive(workload: Workload) -> Decimal:
    lines = monthly_cost(workload, PRICES).lines
    return sum((line.monthly_usd for line in lines if line.service != "S3"), Decimal(0))


@given(WORKLOADS, st.integers(2, 100))
def test_larger_batches_never_cost_more(workload: Workload, factor: int) -> None:
    batched = replace(workload, batch_size=workload.batch_size * factor)
    assert without_archive(batched) <= without_archive(workload)
