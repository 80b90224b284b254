"""What the design asked to measure is measured: docs/metrics.md says where."""

import re
from pathlib import Path

from agent_memory.core import metric_names

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
ASKED_FOR = (
    "STM hit rate",
    "LTM pattern confidence distribution",
    "Memory consolidation success rate",
    "Storage costs by component",
    "Decisions logged per minute",
    "Decision types distribution",
    "Average decision latency",
    "Success rate by decision type",
    "Decisions influenced by LTM patterns",
    "Pattern confidence evolution",
    "Learning rate (new patterns identified)",
    "Memory-to-outcome correlation",
)


def test_each_has_its_place():
    rows = dict(re.findall(r"^\| ([A-Z][^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert tuple(rows) == ASKED_FOR
    named = {name for place in rows.values() for name in re.findall(r"`((?:[A-Z][A-Za-z]+)+)`", place)}
    known = {one.name for one in metric_names.ALL} | {"MemoryAnalytics"}
    assert named <= known


def test_names_that_the_design_gives_are_used_as_they_are():
    assert {"STMHitRate", "DecisionsLogged", "PatternConfidence"} <= {one.name for one in metric_names.ALL}
