import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run_cycle_with_memory", "consolidate_learnings", "audit_decision_chain"])
def test_an_example_without_its_environment_says_what_to_set(name):
    variables = {**os.environ, "AGENT_MEMORY_ARCHIVE_BUCKET": "bucket"}
    for missing in ("REDIS_ENDPOINT", "AGENT_MEMORY_TABLE_PREFIX"):
        variables.pop(missing, None)
    run = subprocess.run(
        [sys.executable, "-m", f"examples.{name}"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr == (
        "Not set: REDIS_ENDPOINT, AGENT_MEMORY_TABLE_PREFIX. "
        "They name a deployment; to start a local one and set them:\n"
        '    eval "$(make -s local-up)"\n'
    )
