"""Entry points do not import packages that they do not need at start."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("agent_memory.api.entry", {"pydantic", "duckdb", "numpy", "scipy", "httpx", "boto3", "redis", "arro3"}),
        ("agent_memory.api.app", {"duckdb", "numpy", "scipy", "httpx", "boto3", "redis", "arro3"}),
        ("agent_memory.api.app", {f"agent_memory.memory.{name}" for name in ("advice", "cycle_memory", "recall")}),
        ("agent_memory.client.decision_logger", {"pydantic", "duckdb", "numpy", "scipy", "httpx", "boto3", "redis"}),
        ("agent_memory.buffering", {"pydantic", "duckdb", "numpy", "scipy", "httpx", "redis"}),
    ],
)
def test_unused_packages_are_not_imported(module, unused):
    script = f"import {module}, sys; print(*sorted({unused!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def test_redis_is_imported_when_short_term_memory_is_first_used():
    script = """
import sys
from agent_memory.core.errors import CacheUnavailable
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.storage.factory import open_stores
stores = open_stores(redis_endpoint="127.0.0.1:1", region="us-east-1")
print("redis" in sys.modules)
try:
    ShortTermMemory("hunter", stores.short_term).get("regime")
except CacheUnavailable:
    print("redis" in sys.modules)
"""
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["False", "True"]
