"""The demo, run twice from the command line."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def demo(tmp_path, *options):
    command = [sys.executable, "-m", "demo", "--state", str(tmp_path / "state"), "--output", str(tmp_path / "r.html")]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def counts_of(run):
    """How many decisions the report counts, and how many of them with an outcome."""
    decisions, judged = re.search(r"^([\d,]+) decisions, ([\d,]+) with outcome$", run.stdout, re.MULTILINE).groups()
    return int(decisions.replace(",", "")), int(judged.replace(",", ""))


def test_the_demo_runs_and_a_second_run_adds_nothing_twice(tmp_path):
    first = demo(tmp_path, "--days", "2")
    assert first.returncode == 0, first.stderr
    decisions, judged = counts_of(first)
    assert 48 * 3 <= decisions <= 48 * 9
    assert 2 <= decisions - judged <= 9  # the last cycle waits for its next bar
    page = (tmp_path / "r.html").read_text()
    assert str(decisions) in page
    assert "https://" not in page
    second = demo(tmp_path, "--days", "2")
    assert second.returncode == 0, second.stderr
    assert "The stacks are deployed already" in second.stdout
    # An hour may have begun between the runs, and with it one more cycle.
    assert 0 <= counts_of(second)[0] - decisions <= 9


def test_an_interrupted_demo_says_so_and_is_continued_by_the_next(tmp_path):
    command = [sys.executable, "-m", "demo", "--state", str(tmp_path / "state"), "--output", str(tmp_path / "r.html")]
    interrupted = subprocess.Popen(
        [*command, "--days", "3"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  one thread
    )
    for line in interrupted.stdout:
        if line == "Replay\n":
            break
    interrupted.send_signal(signal.SIGINT)
    output, errors = interrupted.communicate(timeout=120)
    assert interrupted.returncode == 130, errors
    assert "Interrupted\n" in output
    assert errors == "Stopped: interrupted; the next run continues after the last day that was saved\n"
    following = demo(tmp_path, "--days", "3")
    assert following.returncode == 0, following.stderr
    decisions, judged = counts_of(following)
    assert 72 * 3 <= decisions <= 73 * 9
    assert 2 <= decisions - judged <= 9


def test_a_wrong_flag_is_one_line(tmp_path):
    result = demo(tmp_path, "--dayz", "2")
    assert result.returncode == 2
    assert result.stderr.strip().count("\n") == 0
    assert "--dayz" in result.stderr
