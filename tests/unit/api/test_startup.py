"""The garbage collector waits while a function starts, and works as usual afterwards."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc
usual = gc.get_threshold()
import agent_memory.api
before = sum(generation["collections"] for generation in gc.get_stats())
import agent_memory.api.entry
from agent_memory.api.settings import FunctionSettings
settings = FunctionSettings.from_environment({"AGENT_MEMORY_TABLE_PREFIX": "p"})
{rest}
print(gc.get_freeze_count() > 10_000, gc.get_threshold() == usual, gc.isenabled())
"""
OPEN = """
import boto3
boto3.setup_default_session(region_name="us-east-1")
settings.open_stores()
print(sum(generation["collections"] for generation in gc.get_stats()) - before)
"""


@pytest.mark.parametrize(
    ("rest", "expected"),
    [(OPEN, ["0", "True", "True", "True"]), ("", ["False", "False", "True"])],
    ids=["stores opened", "no stores"],
)
def test_the_collector_waits_until_the_stores_are_open(rest, expected):
    program = PROGRAM.replace("{rest}", rest)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected
