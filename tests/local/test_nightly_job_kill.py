"""Nightly jobs are killed at random moments; the final data is the same as after undisturbed runs.

The trials kill them 200 times.
"""

from collections import Counter

import pytest

from tests.local.killed_nightly_jobs import AGENTS, POISONED
from tests.trials.kills import RUNS, World, kill_nightly_jobs

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

KILLS = 24


@pytest.fixture(scope="module")
def undisturbed(local_cloud):
    """The data after runs that were not killed."""
    return World(local_cloud, 0)


def test_killed_runs_end_like_undisturbed_ones(local_cloud, undisturbed):
    result = kill_nightly_jobs(local_cloud, kills=KILLS, undisturbed=undisturbed)
    assert result.passed, result
    assert result.details["kills"] > KILLS * 0.9


def test_the_runs_learn_archive_rewrite_prune_and_fail(undisturbed):
    """What the comparison covers: patterns, archived days, late outcomes, pruned memories, and one agent that fails."""
    files = {key for key in undisturbed.objects() if not key.startswith("evidence/")}
    assert {key.split("/")[0] for key in files} == {"decisions", "digests", "pruned", "reports"}
    assert len([key for key in undisturbed.items() if key[1].endswith("#PATTERN")]) >= 4
    # Agents without progress catch up on the days since their first decision, which is thirty days older.
    reports = Counter(key.split("/")[1] for key in files if key.startswith("reports/"))
    assert sorted(reports.values()) == [RUNS] * 4 + [RUNS + 30] * (len(AGENTS) - 4)
    assert not any(POISONED in key for key in files)
    assert len([key for key in files if key.endswith("_manifest-0002.json")]) >= len(AGENTS)
