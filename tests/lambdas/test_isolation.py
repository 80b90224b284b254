"""Every function runs where only its own packages and wheels can be imported."""

import json
import subprocess
import sys

import pytest

from stacks.function_contents import CONTENTS, WHEEL_GROUPS
from tests.lambdas.isolated import DAYS, DECISIONS_PER_DAY, MODULES, ROOT

# What each nightly function answers, among others.
NIGHTLY = {
    "agents": {"agents": 1},
    "consolidation": {"evidence_rows": DAYS * DECISIONS_PER_DAY},
    "pruning": {"accesses": {"memories": 0, "missing": None}},
    "archival": {"decisions": 4 * DECISIONS_PER_DAY, "remaining_days": 0},
    "analytics": {"with_outcome": DECISIONS_PER_DAY},
}


def answers_of(function):
    ended = subprocess.run(
        [sys.executable, "-m", "tests.lambdas.isolated", function],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])  # log lines and metrics come before


def test_every_group_of_wheels_can_be_missing():
    assert set(MODULES) == set(WHEEL_GROUPS) - {"runtime"}


def test_every_function_is_run():
    assert set(CONTENTS) == {"api", *NIGHTLY}


@pytest.mark.slow
@pytest.mark.parametrize(("function", "expected"), NIGHTLY.items())
def test_a_nightly_function_runs_on_what_it_holds(function, expected):
    (answer,) = answers_of(function)
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.slow
def test_the_api_runs_on_what_it_holds():
    answers = answers_of("api")
    assert [answer["statusCode"] for answer in answers] == [201, *[200] * (len(answers) - 1)]
    *_, stored, _, recalled, contexts = [json.loads(answer["body"]) for answer in answers]
    assert stored["data"] == {"n": 1}
    assert recalled["found"][0]["memory"]["pattern_id"] == "pump"
    assert contexts["complete"] is True
    assert "archive" in {entry["level"] for entry in contexts["entries"]}
