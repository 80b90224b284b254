"""Links in the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

from agent_memory.pricing import load_units
from agent_memory.pricing.workload import DECISIONS_PER_CYCLE

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


def test_every_page_names_the_measured_write_units_of_a_cycle():
    statement = re.compile(r"cycle of six decisions\s+costs\s+(\d+)\s+(?:DynamoDB\s+)?write\s+units")
    stated = {page.name: set(map(int, statement.findall(page.read_text()))) for page in PAGES}
    measured = round(DECISIONS_PER_CYCLE * load_units().write_units)
    assert {name: units for name, units in stated.items() if units - {measured}} == {}
    assert stated["cost.md"] == {measured}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL))
    for target in targets:
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if "://" in path:
            continue
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}, target
