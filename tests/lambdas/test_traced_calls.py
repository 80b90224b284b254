"""The number of calls of the product's code per request, which is the same on every machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIMITS = {"POST of a decision": (175, 18), "recall over 49": (2_300, None), "query of 50": (1_500, None)}
SCRIPT = """
import json
from benchmarks.traced_calls import measure
print(json.dumps({name: [calls.total, len(calls.files)] for name, calls in measure().items()}))
"""


@pytest.fixture(scope="module")
def counts():
    command = [sys.executable, "-c", SCRIPT]
    completed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    return json.loads(completed.stdout.splitlines()[-1])


@pytest.mark.parametrize("request_name", LIMITS)
def test_a_request_takes_few_calls(counts, request_name):
    calls, files = counts[request_name]
    max_calls, max_files = LIMITS[request_name]
    assert 40 < calls <= max_calls
    assert max_files is None or files <= max_files
