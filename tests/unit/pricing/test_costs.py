import json
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import pricing
from agent_memory.core import metric_names
from agent_memory.core.errors import InvalidInput
from agent_memory.pricing import (
    Deployment,
    MeasuredUnits,
    Prices,
    Workload,
    known_regions,
    load_prices,
    load_units,
    monthly_cost,
    read_prices,
)
from tests.workloads import DEPLOYMENT, UNITS, every_ten_minutes

PRICES = load_prices()
NO_LOGS = {"batch_log_bytes": 0, "read_log_bytes": 0, "access_log_bytes": 0, "invocation_log_bytes": 0}
MANY = {"agents": 100, "decisions_per_day": 86_400}


def cost_with(**changes):
    """The month with some fields of workload, units or deployment changed."""

    def changed(one):
        names = {field.name for field in fields(one)}
        return replace(one, **{name: value for name, value in changes.items() if name in names})

    return monthly_cost(changed(every_ten_minutes()), changed(DEPLOYMENT), units=changed(UNITS))


def line(service, part, **changes):
    lines = [one for one in cost_with(**changes).lines if one.service == service and part in one.usage]
    assert len(lines) == 1, f"{service} with {part!r}: {lines}"
    return lines[0]


def test_an_agent_with_a_cycle_every_ten_minutes_logs_25_920_decisions_per_month():
    assert every_ten_minutes().decisions == 25_920


@pytest.mark.parametrize(
    ("service", "part", "changes", "usd"),
    [
        ("DynamoDB", "write units", {"log_units": 96, "nightly_write_units": 0}, "1.62"),  # 100 units in all
        ("DynamoDB", "read units", {"reads": 100e6, "nightly_read_units": 0}, "12.50"),
        ("DynamoDB", "stored", {"stored_bytes": 2**30 / 864}, "40.50"),  # 90 GB at 0.25 + 0.20
        ("DynamoDB", "stored", {"stored_bytes": 2**30 / 864, "backed_up": False}, "22.50"),
        ("DynamoDB", "2,557 days", {"stored_bytes": 0, "link_bytes": 2**30 / 864}, "1150.65"),
        ("DynamoDB", "130 days", {"stored_bytes": 0, "link_bytes": 2**30 / 864, "archived_days": 100}, "58.50"),
        ("ElastiCache", "node", {"cache_nodes": 2}, "18.69"),
        ("CloudWatch", "1 dashboard of", {"dashboard_metrics": (9,)}, "3.00"),
        ("CloudWatch", "14 alarms", {}, "1.40"),
        ("CloudWatch", "1 composite alarm", {}, "0.50"),
        ("CloudWatch", "logs", {"reads": 0, "batch_log_bytes": 5 * 2**30 / 8_640, "access_log_bytes": 0}, "2.65"),
        ("CloudWatch", "kept 60 days", {"reads": 0, "batch_log_bytes": 2**30 / 8_640, "log_days": 60}, "0.57"),
        ("CloudWatch", "logs", {"reads": 2**20, **NO_LOGS, "read_log_bytes": 1024}, "0.53"),
        ("CloudWatch", "logs", {"reads": 2**20 - 8_640, **NO_LOGS, "access_log_bytes": 1024}, "0.53"),
        ("CloudWatch", "logs", {"reads": 2**20 - 8_640, **NO_LOGS, "invocation_log_bytes": 1024}, "0.00"),
        (
            "CloudWatch",
            "logs",
            {"reads": 2**20 - 8_640, **NO_LOGS, "invocation_log_bytes": 1024, "logs_invocations": True},
            "0.53",
        ),
        ("CloudWatch", "logs", {"reads": 0, **NO_LOGS, "nightly_log_bytes": 2**30 / 30}, "0.53"),
        ("API Gateway", "requests", {"reads": 1_991_360}, "2.00"),
        ("Step Functions", "transitions", {"agents": 199}, "0.90"),
        ("EventBridge Scheduler", "invocations", {}, "0.01"),
        ("X-Ray", "of requests and nightly jobs", {"traces_requests": True, "reads": 991_300}, "5.00"),
        ("X-Ray", "3,628,060 traces", {"traces_requests": True, "reads": 22_628_000 - 8_640}, "18.15"),
        ("X-Ray", "60 traces of nightly jobs", {}, "0.01"),
        ("CloudTrail", "data events", {"data_trails": 1, "reads": 991_330}, "1.00"),
        ("KMS", "2 keys", {"kms_keys": 2}, "2.00"),
        ("KMS", "26,730 requests for the keys of 3 tables", {"kms_tables": 3}, "0.09"),
        ("DynamoDB", "read units", {"reads": 0, "nightly_read_units": 0, "nightly_other_read_units": 1e6}, "3.75"),
        ("S3", "of evidence", {"evidence_bytes": 2**30 / 180 / 864}, "0.72"),  # 31 GB: 30 old versions, and the current
        ("S3", "of evidence", {"evidence_bytes": 2**30 / 180 / 864, "old_versions_days": 0}, "0.03"),
        ("S3", "of reports", {"report_bytes": 2**30, "reports_days": 100}, "2.31"),
        ("Data transfer", "between availability zones", {"reads": 2**30 - 8_640, "cache_bytes": 2}, "0.01"),
        ("Data transfer", "to agents outside AWS", {"reads": 2**30, "response_bytes": 10}, "0.90"),
    ],
)
def test_a_line_is_quantity_times_list_price(service, part, changes, usd):
    assert line(service, part, **changes).monthly_usd == Decimal(usd)


def test_a_metric_is_charged_for_the_hours_in_which_it_is_sent():
    hourly, nightly = (
        sum(one.frequency is frequency for one in metric_names.ALL)
        for frequency in (metric_names.Frequency.HOURLY, metric_names.Frequency.NIGHTLY)
    )
    expected = Decimal("0.3") * hourly + Decimal("0.3") * nightly * 30 / 730
    metrics = line("CloudWatch", "metrics every hour")
    assert metrics.monthly_usd - Decimal("0.01") < expected <= metrics.monthly_usd
    with_routes = line("CloudWatch", "metrics every hour", route_metrics=6)
    assert with_routes.monthly_usd - metrics.monthly_usd == Decimal("1.80")


def test_lambda_bills_requests_and_gb_seconds():
    compute = line("Lambda", "GB-seconds", reads=1_000_000 - 8_640 - 150, api_seconds=0, nightly_seconds=1e5 / 6)
    assert compute.monthly_usd == Decimal("40.21")  # 1,000,000 requests, and 3,000,000 GB-seconds in 30 days
    assert compute.usage.endswith("(assumed: seconds, initializations)")


def test_initializations_are_billed_as_seconds():
    """At most six per hour after pauses, and a share of all requests."""
    idle = {"api_seconds": 0, "nightly_seconds": 0, "init_seconds": 1e5}
    assert "2 initializations, 200,000 GB-seconds" in line("Lambda", "", **idle, decisions_per_day=0, reads=2).usage
    assert "4,380 initializations" in line("Lambda", "", **idle, decisions_per_day=0, reads=1e6).usage
    assert "14,380 initializations" in line("Lambda", "", **idle, decisions_per_day=0, reads=1e6, init_share=0.01).usage


def test_small_archive_files_stay_in_standard_storage():
    assert (
        "none of it in Glacier, which has a minimum object size of 128 KB"
        in line("S3", "archive", archived_bytes=52).usage
    )


def test_large_archive_files_move_to_glacier_and_cost_less():
    just_below = line("S3", "archive", archived_bytes=151, **MANY)
    large = line("S3", "archive", archived_bytes=152, **MANY)
    assert "GB of it in Glacier" in large.usage
    assert large.monthly_usd < just_below.monthly_usd


def test_a_recent_archive_is_smaller():
    young = line("S3", "in 100 days", archived_days=100, archived_bytes=152, **MANY)
    assert "none of it in Glacier" in young.usage
    assert young.monthly_usd < line("S3", "in 2,527 days", archived_bytes=152, **MANY).monthly_usd


def test_parts_that_are_not_deployed_have_no_line():
    lines = {(one.service, one.usage.partition(" ")[2]) for one in cost_with(cache_nodes=0, composite_alarms=0).lines}
    assert not {service for service, _ in lines} & {"ElastiCache", "KMS"}
    assert not {usage for _, usage in lines if "dashboard" in usage or "composite" in usage}


def test_the_allowances_are_not_in_the_total():
    cost = cost_with(dashboard_metrics=(50,))
    # 10 of 14 alarms, the dashboard, all metrics; logs up to 5 GB
    expected = Decimal("1.00") + 3 + sum(one.allowed_usd for one in cost.lines if "metrics every hour" in one.usage)
    logs = next(one for one in cost.lines if "logs" in one.usage)
    assert cost.allowances_usd["CloudWatch"] == (expected + logs.allowed_usd).quantize(Decimal("0.01"), "ROUND_DOWN")
    assert cost.total_usd - sum(cost.allowances_usd.values()) == cost.total_after_allowances_usd
    assert cost.total_usd == sum(one.monthly_usd for one in cost.lines)


def test_a_dashboard_of_more_than_fifty_metrics_is_not_free():
    small, large = (cost_with(dashboard_metrics=(shown,)) for shown in (50, 51))
    assert small.allowances_usd["CloudWatch"] - large.allowances_usd["CloudWatch"] == 3
    assert small.total_usd == large.total_usd


def test_a_node_type_without_a_price_is_refused_with_those_that_have_one():
    with pytest.raises(
        InvalidInput,
        match=r"no price for cache\.r7g\.large in us-east-1, only for cache\.t4g\.micro; add valkey_cache\.r7g\.large",
    ):
        cost_with(cache_node_type="cache.r7g.large")


def test_resources_without_a_price_are_named():
    assert "for them: 2 AWS::EC2::NatGateway." in " ".join(cost_with(unpriced={"AWS::EC2::NatGateway": 2}).notes)
    assert "for them" not in " ".join(cost_with().notes)


def test_the_cost_section_of_the_report():
    cost = cost_with().as_dict()
    assert all(set(one) == {"service", "usage", "monthly_usd"} for one in cost["lines"])
    assert cost["total_usd"] == pytest.approx(sum(one["monthly_usd"] for one in cost["lines"]))
    assert cost["price_date"] == "2025-05-19 to 2026-10-03"
    assert cost["measured"] == UNITS.measured
    assert cost["total_after_allowances_usd"] < cost["total_usd"]


def test_prices_without_a_dated_source_are_named_in_the_notes():
    assert set(PRICES.unconfirmed) == {
        "s3_glacier_flexible",
        "s3_glacier_transition",
        "cloudwatch_composite_alarms",
        "cloudtrail_data_events",
        "data_transfer_out",
        "zone_transfer",
    }
    notes = " ".join(cost_with().notes)
    for name in PRICES.unconfirmed:
        assert name.replace("_", " ") in notes


def test_prices_without_any_date():
    undated = Prices("us-east-1", {name: replace(one, confirmed=None) for name, one in PRICES.prices.items()}, {})
    cost = monthly_cost(every_ten_minutes(), DEPLOYMENT, units=UNITS, prices=undated)
    assert cost.price_date == "no dated source"
    assert cost.allowances_usd == {}


def test_every_price_and_allowance_names_its_page_and_source():
    for name, price in (*PRICES.prices.items(), *PRICES.always_free.items()):
        assert price.page.startswith("https://aws.amazon.com/"), name
        assert price.source, name
    assert all(price.usd > 0 for price in PRICES.prices.values())
    assert PRICES.always_free.keys() <= PRICES.prices.keys()


def test_a_region_without_prices_is_refused_with_those_that_are_known():
    assert known_regions() == ("us-east-1",)
    with pytest.raises(InvalidInput, match=r"region: the prices of 'eu-west-1' are not known, only those of us-east-1"):
        load_prices("eu-west-1")


def own_prices(tmp_path, change):
    """A price file of one's own: a copy of this package's, changed."""
    content = json.loads(Path(pricing.__file__).with_name("prices-us-east-1.json").read_text())
    change(content)
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(content))
    return file


def test_prices_of_ones_own_are_used(tmp_path):
    def change(content):
        content["region"] = "eu-west-1"
        content["prices"]["dynamodb_write_units"]["usd"] = 0.705
        content["prices"]["valkey_cache.r7g.large_hours"] = content["prices"].pop("valkey_cache.t4g.micro_hours")

    prices = read_prices(own_prices(tmp_path, change))
    assert (prices.region, prices["dynamodb_write_units"].cost(1e6)) == ("eu-west-1", Decimal("0.705"))
    deployment = replace(DEPLOYMENT, cache_node_type="cache.r7g.large")
    cost = monthly_cost(every_ten_minutes(), deployment, units=UNITS, prices=prices)
    assert "list prices of eu-west-1" in cost.notes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one["prices"].pop("kms_requests"), "lacks kms_requests"),
        (lambda one: one["prices"].pop("dynamodb_pitr"), "lacks dynamodb_pitr"),
        (lambda one: one.pop("region"), "is not a price file: KeyError"),
        (lambda one: one["prices"]["s3_put"].update(usd=-1), "s3_put: usd must be a number above 0"),
        (lambda one: one["prices"]["s3_put"].update(per=0), "s3_put: per must be a number above 0"),
        (lambda one: one["prices"]["s3_put"].update(usd="much"), "s3_put: usd must be a number above 0"),
        (lambda one: one["prices"]["s3_put"].update(usd=float("nan")), "s3_put: usd must be a number above 0"),
        (lambda one: one["prices"]["s3_put"].update(usd=True), "s3_put: usd must be a number"),
        (lambda one: one["prices"]["s3_put"].pop("unit"), "is not a price file: TypeError"),
        (lambda one: one["prices"]["s3_put"].update(confirmed="May"), "is not a price file"),
        (lambda one: one["prices"].update(s3_put=0.005), "is not a price file"),
        (lambda one: one["always_free"].update(unknown=one["always_free"]["xray_traces"]), "without a price: unknown"),
    ],
)
def test_an_invalid_price_file_is_refused_by_what_is_wrong(tmp_path, change, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        read_prices(own_prices(tmp_path, change))
    assert caught.value.field == "prices"


def test_a_price_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="is not a price file: FileNotFoundError"):
        read_prices(tmp_path / "none.json")
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    with pytest.raises(InvalidInput, match="is not a price file"):
        read_prices(tmp_path / "bad.json")


def test_batches_smaller_than_those_measured_are_noted():
    assert "smaller batches write more" in " ".join(cost_with(batch_size=5).notes)
    assert "smaller batches" not in " ".join(cost_with(batch_size=6).notes)


def test_the_measured_units_are_those_of_decisions():
    units = load_units()
    assert 3 <= units.write_units <= 10
    assert 0 < units.archived_bytes < units.stored_bytes


@pytest.mark.parametrize(
    ("field", "value"),
    [("reads", -1), ("decisions_per_day", float("nan")), ("archived_days", float("inf")), ("batch_size", 0)],
)
def test_an_impossible_workload_is_refused(field, value):
    with pytest.raises(InvalidInput, match=field):
        every_ten_minutes(**{field: value})


WORKLOADS = st.builds(
    Workload,
    scenario=st.just("any"),
    decisions_per_day=st.floats(0, 1e6),
    reads=st.floats(0, 1e9),
    agents=st.integers(1, 100),
    batch_size=st.integers(1, 100),
)
AMOUNTS = st.floats(0, 1e4)
ANY_UNITS = st.builds(
    MeasuredUnits,
    measured=st.just("2026-11-24"),
    init_share=st.floats(0, 1),
    **{f.name: AMOUNTS for f in fields(MeasuredUnits) if f.name not in {"measured", "init_share"}},
)
DEPLOYMENTS = st.builds(
    Deployment,
    alarm_metrics=st.integers(0, 200),
    composite_alarms=st.integers(0, 5),
    dashboard_metrics=st.lists(st.integers(0, 500), max_size=5).map(tuple),
    route_metrics=st.integers(0, 60),
    cache_nodes=st.integers(0, 6),
    nightly_memory_mb=st.integers(0, 20_000),
    traces_requests=st.booleans(),
    logs_invocations=st.booleans(),
    kms_tables=st.integers(0, 3),
)


@given(WORKLOADS, ANY_UNITS, DEPLOYMENTS)
def test_lines_are_non_negative_cents_that_add_up_to_the_total(workload, units, deployment):
    cost = monthly_cost(workload, deployment, units=units)
    assert cost.total_usd == sum(one.monthly_usd for one in cost.lines)
    for one in cost.lines:
        assert one.monthly_usd == one.monthly_usd.quantize(Decimal("0.01"))
        assert 0 <= one.allowed_usd <= one.monthly_usd
    assert 0 <= cost.total_after_allowances_usd <= cost.total_usd


def without_archive(workload, units, deployment):
    lines = monthly_cost(workload, deployment, units=units).lines
    return sum((one.monthly_usd for one in lines if one.service != "S3"), Decimal(0))


# A fuller archive file may move to Glacier and cost less.
@given(WORKLOADS, ANY_UNITS, DEPLOYMENTS, st.sampled_from(["decisions_per_day", "reads", "agents"]), st.integers(1, 5))
def test_more_of_anything_never_costs_less_outside_the_archive(workload, units, deployment, field, factor):
    grown = replace(workload, **{field: getattr(workload, field) * factor})
    assert without_archive(grown, units, deployment) >= without_archive(workload, units, deployment)


@given(WORKLOADS, ANY_UNITS, DEPLOYMENTS, st.integers(2, 100))
def test_larger_batches_never_cost_more(workload, units, deployment, factor):
    batched = replace(workload, batch_size=workload.batch_size * factor)
    assert without_archive(batched, units, deployment) <= without_archive(workload, units, deployment)
