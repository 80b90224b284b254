"""The public interface is what `agent_memory` itself exports; examples and pages use nothing else."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import agent_memory

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = sorted((ROOT / "examples").rglob("*.py"))
TRADING_AGENTS = sorted((ROOT / "layers" / "trading_agents").rglob("*.py"))
# An adapter's module is public: `agent_memory` itself does not import the packages that they need.
INTEGRATIONS = "agent_memory.client.integrations."
# Of the same distribution: the names and clocks of keys, and what commands share: options, groups, output, progress.
# Reports are drawn alike.
SHARED_WITH_TRADING_AGENTS = (
    "agent_memory.core.",
    *(f"agent_memory.cli.{name}" for name in ("groups", "options", "output", "progress")),
    "agent_memory.reporting",
)


def imports(source):
    """The modules that a source imports of `agent_memory`, each with the names taken from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "agent_memory":
            yield node.module, [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names if alias.name.split(".")[0] == "agent_memory")


def internal(source):
    return [
        (module, names)
        for module, names in imports(source)
        if not module.startswith(INTEGRATIONS)
        and (module != "agent_memory" or not set(names) <= set(agent_memory.__all__))
    ]


def code_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("name", agent_memory.__all__)
def test_every_public_name_can_be_imported_and_is_documented(name):
    public = getattr(agent_memory, name)
    assert name == "__version__" or public.__doc__


def test_nothing_else_is_offered():
    assert dir(agent_memory) == sorted(agent_memory.__all__)
    assert sorted(agent_memory.__all__) == agent_memory.__all__
    with pytest.raises(AttributeError, match="no attribute 'Hierarchy'"):
        importlib.import_module("agent_memory").Hierarchy  # noqa: B018


def test_every_error_that_can_be_raised_is_public():
    def with_subclasses(kind):
        return [kind, *[one for below in kind.__subclasses__() for one in with_subclasses(below)]]

    importlib.import_module("agent_memory.client.client")
    importlib.import_module("agent_memory.client.buffered_logger")
    own = [one for one in with_subclasses(agent_memory.AgentMemoryError) if one.__module__.startswith("agent_memory.")]
    assert {one.__name__ for one in own} | {"MissingExtra"} <= set(agent_memory.__all__)
    assert all(getattr(agent_memory, one.__name__) is one for one in own)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_examples_use_the_public_interface_alone(script):
    assert internal(script.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", [page for page in PAGES if code_blocks(page)], ids=lambda page: page.name)
def test_pages_use_the_public_interface_alone(page):
    assert [found for block in code_blocks(page) for found in internal(block)] == []


# The demo runs the nightly job and renders the report, as commands of `agent_memory` do.
AGENTS_ALONE = [module for module in TRADING_AGENTS if module.parent.name != "demo"]


@pytest.mark.parametrize("module", AGENTS_ALONE, ids=lambda module: module.name)
def test_trading_agents_use_the_public_interface_and_what_the_distribution_shares(module):
    found = internal(module.read_text(encoding="utf-8"))
    assert [one for one in found if not one[0].startswith(SHARED_WITH_TRADING_AGENTS)] == []
