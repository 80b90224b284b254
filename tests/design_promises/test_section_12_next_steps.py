"""12. Next steps

12.1 From the design to a deployment
"""

from pathlib import Path

import pytest

from stacks.config import DeployConfig

pytestmark = pytest.mark.local_cloud

ROOT = Path(__file__).parents[2]


def text_of_page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_12_1_the_architecture_is_final_and_has_its_reasons():
    """1. Finalize the architecture: it has a page, and every choice a decision record."""
    assert "](decisions/" in text_of_page("architecture.md")
    assert len(list((ROOT / "docs/decisions").glob("0*.md"))) >= 49


def test_12_1_there_is_a_detailed_file_structure():
    """2. Create the detailed file structure: every package is described."""
    page = text_of_page("architecture.md")
    packages = (ROOT / "layers/agent_memory/python/agent_memory").iterdir()
    for package in packages:
        if package.is_dir() and (package / "__init__.py").is_file():
            assert f"`{package.name}`" in page


def test_12_1_phase_1_is_implemented(hunted):
    """3. Implement phase 1: an agent with memory runs on it."""
    assert hunted.agent.current_cycle > 0


def test_12_1_there_are_comprehensive_tests():
    """4. Write comprehensive tests: units, contracts of every store, templates, and the deployed stacks."""
    for folder in ("unit", "contract", "stacks", "local", "lambdas"):
        assert list((ROOT / "tests" / folder).rglob("test_*.py"))


def test_12_1_there_is_a_development_environment():
    """5. Deploy to a development environment: a setting changes the defaults to those of development."""
    dev = DeployConfig.from_context({"environment": "dev"})
    assert (dev.log_retention_days, dev.point_in_time_recovery) == (7, False)


def test_12_1_it_is_iterated_on_measured_performance():
    """6. Iterate on performance data: what was measured has a page."""
    for name in ("learned.md", "does-memory-help.md", "trials.md", "cost.md"):
        assert "| " in text_of_page(name)  # it has tables of results
