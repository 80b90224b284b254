"""The demo as a person runs it: twice, from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def demo(tmp_path, *options):
    command = [sys.executable, "-m", "demo", "--state", str(tmp_path / "state"), "--output", str(tmp_path / "r.html")]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def total_line(text):
    return next(line for line in text.splitlines() if " with outcome, " in line)


def test_the_demo_runs_and_a_second_run_adds_nothing_twice(tmp_path):
    first = demo(tmp_path, "--days", "2")
    assert first.returncode == 0, first.stderr
    assert total_line(first.stdout).startswith("288 decisions, 282 with outcome")
    page = (tmp_path / "r.html").read_text()
    assert "288" in page
    assert "https://" not in page
    second = demo(tmp_path, "--days", "2")
    assert second.returncode == 0, second.stderr
    assert "The stacks are deployed already" in second.stdout
    # An hour may have begun between the runs, and with it one more cycle of six.
    counts = [int(total_line(run.stdout).split()[0].replace(",", "")) for run in (first, second)]
    assert counts[1] - counts[0] in {0, 6}


def test_a_wrong_flag_is_one_line(tmp_path):
    told = demo(tmp_path, "--dayz", "2")
    assert told.returncode == 2
    assert told.stderr.strip().count("\n") == 0
    assert "--dayz" in told.stderr
