"""Every function runs with only its own packages and wheels."""

import json
import subprocess
import sys

import pytest

from stacks.function_contents import CONTENTS, WHEEL_GROUPS
from tests.lambdas.isolated import DAYS, DECISIONS_PER_DAY, MODULES, ROOT

# A part of the result of each nightly function.
NIGHTLY = {
    "agents": {"agents": 1},
    "consolidation": {"evidence_rows": DAYS * DECISIONS_PER_DAY},
    "pruning": {"accesses": {"memories": 0, "missing": None}},
    "archival": {"decisions": 4 * DECISIONS_PER_DAY, "remaining_days": 0},
    "analytics": {"with_outcome": DECISIONS_PER_DAY},
}


def results_of(function):
    completed = subprocess.run(
        [sys.executable, "-m", "tests.lambdas.isolated", function],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout.splitlines()[-1])  # log lines and metrics come before


def test_every_group_of_wheels_can_be_excluded():
    assert set(MODULES) == set(WHEEL_GROUPS) - {"runtime"}


def test_every_function_is_run():
    assert set(CONTENTS) == {"api", *NIGHTLY}


@pytest.mark.slow
@pytest.mark.parametrize(("function", "expected"), NIGHTLY.items())
def test_a_nightly_function_runs_with_its_own_contents(function, expected):
    (result,) = results_of(function)
    assert {name: result[name] for name in expected} == expected


@pytest.mark.slow
def test_the_api_runs_with_its_own_contents():
    responses = results_of("api")
    assert [response["statusCode"] for response in responses] == [201, *[200] * (len(responses) - 1)]
    *_, stored, _, recalled, contexts = [json.loads(response["body"]) for response in responses]
    assert stored["data"] == {"n": 1}
    assert recalled["found"][0]["memory"]["pattern_id"] == "pump"
    assert contexts["complete"] is True
    assert "archive" in {entry["level"] for entry in contexts["entries"]}
