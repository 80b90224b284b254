"""`agent-memory cost` on a template of one cache and one alarm."""

import json

import pytest

from agent_memory.cli import main

RESOURCES = {
    "Cache": {
        "Type": "AWS::ElastiCache::ReplicationGroup",
        "Properties": {"NumCacheClusters": 1, "CacheNodeType": "cache.t4g.micro"},
    },
    "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.template.json").write_text(json.dumps({"Resources": RESOURCES}))
    return tmp_path


def cost(folder, *options, capsys):
    assert main(["cost", "--templates", str(folder), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_line_for_each_item_and_the_largest(folder, capsys):
    assert main(["cost", "--templates", str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(
        "One agent, a cycle every ten minutes, six decisions per cycle; prices of 2025-05-19 to "
    )
    share = f"{9.35 / cost(folder, capsys=capsys)['total_usd']:.0%}"
    assert printed[3].split()[:3] == ["9.35", share, "ElastiCache"]
    assert any(line.endswith(f"at list prices; ElastiCache is the largest item with {share}") for line in printed)
    assert "CloudWatch: always-free allowance of every account" in "\n".join(printed)
    assert printed[-1].startswith("From ")


def test_options_change_the_workload(folder, capsys):
    one = cost(folder, capsys=capsys)
    ten = cost(folder, "--decisions-per-day", "8640", "--agents", "10", "--reads", "1000000", capsys=capsys)
    assert ten["scenario"] == "10 agents, 8,640 decisions per day, 1,000,000 reads per month"
    assert ten["total_usd"] > one["total_usd"]
    assert ten["per_million_decisions_usd"]["at_workload"] < one["per_million_decisions_usd"]["at_workload"]
    assert ten["per_million_decisions_usd"]["marginal"] == one["per_million_decisions_usd"]["marginal"]
    young = cost(folder, "--retention-days", "0", capsys=capsys)
    assert any("0 days of archive" in line["usage"] for line in young["lines"])
    bare = cost(folder, "--cache-off", capsys=capsys)
    assert one["total_usd"] - bare["total_usd"] == pytest.approx(9.36)  # the node, and the bytes to its zone


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--templates", "nowhere"],
            "templates: there is no *.template.json in nowhere; `make synth` writes them",
        ),
        (["--agents", "0"], "Invalid value for '--agents': Input should be greater than or equal to 1"),
        (["--reads", "-1"], "Invalid value for '--reads': Input should be greater than or equal to 0"),
        (["--templates", "{folder}", "--reads", "inf"], "reads: must be a finite number"),
    ],
)
def test_an_invalid_option_is_one_line(options, message, folder, capsys):
    assert main(["cost", *(option.format(folder=folder) for option in options)]) == 2
    (message_line,) = capsys.readouterr().err.splitlines()
    assert message in message_line
