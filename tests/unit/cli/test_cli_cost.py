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


def test_a_line_for_each_thing_and_what_dominates(folder, capsys):
    assert main(["cost", "--templates", str(folder)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("One agent, a cycle every ten minutes, six decisions a cycle; prices of 2025-05-19 to ")
    share = f"{9.35 / cost(folder, capsys=capsys)['total_usd']:.0%}"
    assert told[3].split()[:3] == ["9.35", share, "ElastiCache"]
    assert any(line.endswith(f"at list prices; ElastiCache dominates with {share}") for line in told)
    assert "CloudWatch: allowed to every account each month, without an end date" in "\n".join(told)
    assert told[-1].startswith("From ")


def test_options_change_the_workload(folder, capsys):
    one = cost(folder, capsys=capsys)
    ten = cost(folder, "--decisions-per-day", "8640", "--agents", "10", "--reads", "1000000", capsys=capsys)
    assert ten["scenario"] == "10 agents, 8,640 decisions a day, 1,000,000 reads a month"
    assert ten["total_usd"] > one["total_usd"]
    assert ten["per_million_decisions_usd"]["at_workload"] < one["per_million_decisions_usd"]["at_workload"]
    assert ten["per_million_decisions_usd"]["marginal"] == one["per_million_decisions_usd"]["marginal"]
    young = cost(folder, "--retention-days", "0", capsys=capsys)
    assert any("0 days of archive" in line["usage"] for line in young["lines"])
    bare = cost(folder, "--cache-off", capsys=capsys)
    assert one["total_usd"] - bare["total_usd"] == pytest.approx(9.35)


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
def test_what_cannot_be_is_one_line(options, message, folder, capsys):
    assert main(["cost", *(option.format(folder=folder) for option in options)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert message in told
