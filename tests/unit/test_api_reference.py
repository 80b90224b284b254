"""The reference of the Python interface can be built, and is complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import agent_memory
import trading_agents

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The folder of the reference, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, "-W", "error", "docs/api_reference", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.mark.parametrize("package", [agent_memory, trading_agents], ids=lambda package: package.__name__)
def test_every_public_name_is_documented(reference, package):
    page = (reference / f"{package.__name__}.html").read_text(encoding="utf-8")
    assert set(package.__all__) <= set(re.findall(r'id="([\w.]+)"', page))


@pytest.mark.parametrize("method", ["DecisionLogger.log_outcome", "MemoryManager.recall", "SyncMemoryManager.recall"])
def test_inherited_methods_are_documented_in_full(reference, method):
    page = (reference / "agent_memory.html").read_text(encoding="utf-8")
    assert f'id="{method}"' in page


def test_internal_modules_have_no_pages(reference):
    assert {path.name for path in reference.glob("*.html")} == {
        "index.html",
        "agent_memory.html",
        "trading_agents.html",
    }
