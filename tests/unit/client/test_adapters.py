"""What every adapter has: few lines, an extra of its own, a suite on the real package, an example and a section."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "layers" / "agent_memory" / "python" / "agent_memory" / "client" / "integrations"
SHARED = {"byte_values", "conditions", "recalled"}
ADAPTERS = sorted(path.stem for path in FOLDER.glob("[a-z]*.py") if path.stem not in SHARED)
WITHOUT_A_PACKAGE = {"tradingagents"}  # not on PyPI
PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_it_has_300_lines_at_most(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_has_an_example_that_a_test_runs(adapter):
    module = f"agent_memory.client.integrations.{adapter} import"
    examples = [path for path in (ROOT / "examples").glob("*.py") if module in path.read_text(encoding="utf-8")]
    assert len(examples) == 1
    assert f"({examples[0].name})" in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    tests = ROOT / ("tests/unit/client" if adapter in WITHOUT_A_PACKAGE else "tests/conformance")
    assert f'run_example("{examples[0].stem}", url)' in (tests / f"test_{adapter}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_has_a_section_and_counted_tests_on_the_page(adapter):
    (row,) = [line for line in PAGE.splitlines() if f"| `agent_memory.client.integrations.{adapter}` |" in line]
    assert (
        row.endswith(" in `make test` |")
        if adapter in WITHOUT_A_PACKAGE
        else row.rsplit("| ", 1)[1].rstrip(" |").isdigit()
    )
    assert f"from agent_memory.client.integrations.{adapter} import" in PAGE


@pytest.mark.parametrize("adapter", sorted(set(ADAPTERS) - WITHOUT_A_PACKAGE))
def test_it_has_an_extra_of_its_own_that_brings_nothing_of_other_extras(adapter):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (requirement,) = extras[adapter.replace("_", "-")]
    assert not requirement.startswith("agent-memory")
