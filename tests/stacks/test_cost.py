"""The cost of the default deployment, from its own templates."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from agent_memory import pricing
from agent_memory.cli import main
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, GLACIER_AFTER_DAYS, OLD_VERSIONS_DAYS, REPORTS_DAYS
from agent_memory.pricing import (
    agent_every_ten_minutes,
    monthly_cost,
    per_million,
    read_deployment,
)
from agent_memory.reporting.cost import cost_of_a_month, workload_of
from benchmarks.cost_page import PAGE, blocks, updated
from tests.stacks.conftest import synthesize


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The templates with every setting at its default."""
    return synthesize(tmp_path_factory.mktemp("default")).folder


def cost_of(deployment):
    return monthly_cost(agent_every_ten_minutes(), deployment)


def test_an_agent_with_a_cycle_every_ten_minutes_costs_at_most_fourteen_dollars_and_twenty_cents_at_list_prices(folder):
    deployment = read_deployment(folder)
    assert deployment.cache_nodes == 1
    assert deployment.alarm_metrics >= 18
    assert deployment.backed_up
    assert 10 < cost_of(deployment).total_usd <= Decimal("14.20")


def test_every_deployed_resource_has_a_price(folder, aws):
    assert read_deployment(folder).unpriced == {}
    assert read_deployment(aws.folder).unpriced == {}


def test_settings_are_read_from_the_templates(aws, tmp_path):
    configured = synthesize(tmp_path, trace_requests="true", cache_nodes="2", log_retention_days="90").folder
    deployment = read_deployment(configured)
    assert (deployment.traces_requests, deployment.cache_nodes, deployment.log_days) == (True, 2, 90)
    assert (deployment.cache_node_type, deployment.dashboard_metrics) == ("cache.t4g.micro", ())
    assert (deployment.glacier_after_days, deployment.expire_after_days) == (GLACIER_AFTER_DAYS, EXPIRE_AFTER_DAYS)
    assert (deployment.reports_days, deployment.old_versions_days) == (REPORTS_DAYS, OLD_VERSIONS_DAYS)
    assert (deployment.api_memory_mb, deployment.nightly_memory_mb) == (1024, 256 + 1769 + 2 * 3008 + 512)
    assert deployment.counter_memory_mb == 128
    (metrics,) = read_deployment(aws.folder).dashboard_metrics
    assert metrics > 50


def test_the_default_deployment_neither_traces_requests_nor_logs_invocations(folder):
    """What the estimate leaves out, because the templates do."""
    deployment = read_deployment(folder)
    assert (deployment.traces_requests, deployment.logs_invocations, deployment.kms_tables) == (False, False, 3)


def test_each_additional_million_decisions_costs_at_most_ten_dollars(folder):
    million = per_million(agent_every_ten_minutes(), read_deployment(folder))
    assert million.marginal <= 10


def test_a_million_decisions_cost_less_than_events_of_agentcore_memory(folder):
    million = per_million(agent_every_ten_minutes(), read_deployment(folder))
    assert million.agentcore_events == 500  # two million at $0.25 per thousand
    assert million.agentcore_records == 500 + 9_000 + 500
    assert 20_000 < million.breaks_even_at < 30_000
    busy = replace(agent_every_ten_minutes(), decisions_per_day=100 * 864)
    assert per_million(busy, read_deployment(folder)).at_workload < million.at_workload / 10


def test_the_page_shows_what_is_computed(folder):
    """But for an alarm or two at ten cents each: adding one does not rewrite the page, `make cost-page` does."""
    page, deployment = PAGE.read_text(encoding="utf-8"), read_deployment(folder)
    (shown,) = re.findall(r"^\| CloudWatch \| (\d+) alarms \|", page, re.MULTILINE)
    assert abs(deployment.alarm_metrics - int(shown)) <= 2, "run `make cost-page`"
    assert page == updated(page, blocks(replace(deployment, alarm_metrics=int(shown)))), "run `make cost-page`"


def test_the_command_prints_the_same_total(folder, capsys):
    assert main(["cost", "--templates", str(folder)]) == 0
    printed = capsys.readouterr().out
    total = cost_of(read_deployment(folder)).total_usd
    assert f"{total:>10,.2f}         at list prices; ElastiCache is the largest item with " in printed
    assert main(["cost", "--templates", str(folder), "--json", "--cache-off", "--agents", "3"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["scenario"] == "3 agents, 864 decisions per day, 100,000 reads per month"
    assert "ElastiCache" not in {line["service"] for line in answer["lines"]}
    assert set(answer["per_million_decisions_usd"]) == {
        "marginal",
        "at_workload",
        "agentcore_events",
        "agentcore_records",
        "fixed_usd",
    }


def test_the_command_takes_the_prices_of_a_file(folder, tmp_path, capsys):
    content = json.loads(Path(pricing.__file__).with_name("prices-us-east-1.json").read_text(encoding="utf-8"))
    content["region"] = "eu-west-1"
    content["prices"]["cloudwatch_alarms"]["usd"] = 100
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    assert main(["cost", "--templates", str(folder), "--prices", str(file), "--region", "eu-west-1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert "On-demand list prices of eu-west-1" in answer["notes"][0]
    assert answer["total_usd"] > 1_800
    assert main(["cost", "--templates", str(folder), "--prices", str(file), "--region", "us-east-1"]) == 2
    assert "has the prices of eu-west-1; leave out --region" in capsys.readouterr().err
    assert main(["cost", "--templates", str(folder), "--region", "eu-west-1"]) == 2
    assert "only those of us-east-1" in capsys.readouterr().err


def test_a_report_has_the_cost_of_its_own_agent(folder, tmp_path):
    local = synthesize(tmp_path, profile="local", redis_endpoint="127.0.0.1:6390").folder
    report = {
        "agent_id": "hunter",
        "time_range": ["2026-11-01T00:00:00Z", "2026-11-11T00:00:00Z"],
        "totals": {"decisions": 8_640},
    }
    cost = cost_of_a_month(report, local)
    expected = monthly_cost(workload_of(report), read_deployment(folder)).as_dict()
    assert cost == expected
    assert cost["total_usd"] == cost_of(read_deployment(folder)).as_dict()["total_usd"], "the design's own rate"
    assert cost["scenario"].startswith("hunter alone, 864 decisions per day")
