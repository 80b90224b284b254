"""Every module imports alone, and a function that starts imports no more than it needs for its first event."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ROOT / "layers"

# One interpreter forks a child for each module: starting an interpreter for each would take minutes.
PROGRAM = """
import os, sys
import aws_lambda_powertools, boto3, httpx, jinja2, matplotlib.figure, numpy, pandas, pydantic, redis
import scipy.signal, scipy.stats, statsmodels.tsa.regime_switching.markov_regression, typer
failed = 0
for module in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            __import__(module)
        except BaseException as error:
            sys.stderr.write(f"{module}: {type(error).__name__}: {error} ")
            os._exit(1)
        os._exit(0)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed)
"""


# These need packages that only `make conformance` installs, whose suites import them.
ADAPTERS = ("agent_memory.cli.mcp_server.", "agent_memory.client.integrations.")


def modules(package):
    root = LAYERS / package / "python"
    for file in sorted((root / package).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__":
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.slow
@pytest.mark.parametrize("package", ["agent_memory", "trading_agents"])
def test_every_module_imports_alone(package):
    names = [name for name in modules(package) if not name.startswith(ADAPTERS)]
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


START = """
import json, os, sys
os.environ.update(AWS_DEFAULT_REGION="us-east-1", AGENT_MEMORY_TABLE_PREFIX="p", AGENT_MEMORY_ARCHIVE_BUCKET="b")
os.environ.update(AGENT_MEMORY_REDIS_ENDPOINT="127.0.0.1:1")
from agent_memory.api.settings import FunctionSettings
FunctionSettings.from_environment().open_stores()
for function in sys.argv[1:]:
    if not os.fork():
        sys.path.insert(0, function)
        import handler
        print(json.dumps([os.path.basename(function), sorted(sys.modules)]), flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{function} did not start")
"""
MOST_OWN_MODULES = {"api": 119, "agents": 94, "pruning": 118, "archival": 131, "analytics": 111, "consolidation": 170}
LOADED_LATER = {
    "agent_memory.memory.advice",
    "agent_memory.memory.recall",
    "agent_memory.storage.redis.commands",
    "agent_memory.storage.redis.server",
    "arro3",
    "duckdb",
    "httpx",
    "msgspec",
    "pydantic",
    "redis",
    "scipy",
}


def test_a_start_imports_what_the_first_event_needs():
    functions = [str(ROOT / "lambdas" / name) for name in MOST_OWN_MODULES]
    done = subprocess.run([sys.executable, "-c", START, *functions], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    modules = dict(json.loads(line) for line in done.stdout.splitlines())
    own = {name: sum(one.startswith("agent_memory.") for one in found) for name, found in modules.items()}
    assert {name: count for name, count in own.items() if count > MOST_OWN_MODULES[name]} == {}
    assert own.keys() == MOST_OWN_MODULES.keys()
    assert {one for found in modules.values() for one in LOADED_LATER & set(found)} == set()
    assert not any(one.startswith("agent_memory.memory.") for one in modules["api"])
