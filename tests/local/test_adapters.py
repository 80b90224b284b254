"""The examples of the adapters against the local cloud, each in the environment of its suite, over the signed API.

They are the tests of the examples in tests/conformance, with another store. `make conformance` builds the environments,
and what is not built is skipped.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.__main__ import ENVIRONMENTS, STORE_OVER_HTTP, SUITES, is_built, pytest_command
from tests.conformance.conftest import PACKAGES_VARIABLE, STORE_VARIABLE

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
WITH_AN_EXAMPLE = [one for one in SUITES if "run_example(" in (ROOT / f"tests/conformance/test_{one}.py").read_text()]


@pytest.fixture
def environment(local_cloud):
    """The variables of a program that uses the local cloud."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**variables, **local_cloud.environment()}


@pytest.mark.parametrize("suite", [*WITH_AN_EXAMPLE, "mcp"])
def test_the_example_of_an_adapter_works_on_the_api(suite, environment):
    for needed in (suite, STORE_OVER_HTTP):
        if not is_built(needed):
            pytest.skip(f"`.venv/bin/python -m tests.conformance --build {needed}` builds its environment")
    (packages,) = (ENVIRONMENTS / STORE_OVER_HTTP).glob("lib/python*/site-packages")
    ended = subprocess.run(
        pytest_command(suite, "-k", "the_example"),
        cwd=ROOT,
        check=False,
        env={**environment, STORE_VARIABLE: environment["API_URL"], PACKAGES_VARIABLE: str(packages)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout


def test_the_example_of_tradingagents_works_on_the_api(environment):
    ended = subprocess.run(
        [sys.executable, "-m", "examples.tradingagents_log", environment["API_URL"]],
        cwd=ROOT,
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.stdout.splitlines() == ["lessons known on 2024-05-10: 0", "lessons known on 2024-05-14: 1"], (
        ended.stderr
    )
