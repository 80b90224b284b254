"""The examples, run as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.local_cloud

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(local_cloud):
    """Run an example against the local cloud and return what it prints."""

    def run_example(name, *arguments):
        ended = subprocess.run(
            [sys.executable, "-m", f"examples.{name}", *arguments],
            cwd=ROOT,
            check=False,
            env={**os.environ, **local_cloud.environment()},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""
        return ended.stdout

    return run_example


@pytest.fixture(scope="module")
def cycles(run):
    return run("run_cycle_with_memory")


def test_a_cycle_with_memory_remembers_and_logs(cycles):
    lines = cycles.splitlines()
    assert lines[0] == "cycle 1: 2 signals from ['whaleMovements', 'derivatives']"
    assert lines[3] == "memory of the last hour: 7 entries, complete: True"
    assert lines[4] == "selections that led to signals: 3, based on ['etf_flows_lead']"


def test_history_becomes_patterns_once(run):
    first = run("consolidate_learnings")
    assert "learned: " in first
    assert "high" in first.split("learned: ")[1].splitlines()[0]
    assert int(first.splitlines()[-1].split()[0]) >= 1
    assert run("consolidate_learnings").splitlines()[-1] == "0 new patterns"


def test_an_audit_shows_what_came_of_a_decision(run, cycles):
    output = run("audit_decision_chain")
    assert output.startswith(
        "Decision: SOURCE_SELECTION\nContext: {'market': {'volatility': 'high', 'trend': 'bullish'}"
    )
    assert "Outcome: {'signals': [" in output
    assert "SIGNAL_GENERATION" in output
    assert ": names this decision as a parent" in output
