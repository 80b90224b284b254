"""Every quantity that the design requires is measured; docs/metrics.md names the metric."""

import re
from pathlib import Path

from agent_memory.core import metric_names

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
REQUIRED = (
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


def test_each_required_quantity_has_a_metric():
    rows = dict(re.findall(r"^\| ([A-Z][^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert tuple(rows) == REQUIRED
    named = {name for cell in rows.values() for name in re.findall(r"`((?:[A-Z][A-Za-z]+)+)`", cell)}
    known = {one.name for one in metric_names.ALL} | {"MemoryAnalytics"}
    assert named <= known


def test_metrics_have_the_names_that_the_design_specifies():
    assert {"STMHitRate", "DecisionsLogged", "PatternConfidence"} <= {one.name for one in metric_names.ALL}
