"""Every module imports alone, in an interpreter that has imported nothing else of the product."""

import subprocess
import sys
from pathlib import Path

import pytest

LAYERS = Path(__file__).parents[2] / "layers"

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
