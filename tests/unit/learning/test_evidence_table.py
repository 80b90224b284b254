"""Evidence in arrays: order, questions, clusters, and decisions without an outcome."""

import subprocess
import sys
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.partial_evidence import name_digest
from agent_memory.model.evidence import Evidence

ids = st.integers(0, 12).map("d-{}".format)
evidence = st.lists(
    st.builds(
        Evidence,
        decision_id=ids,
        decision_type=st.sampled_from(["QUERY", "LEARNING"]),
        timestamp_ms=st.integers(0, 1_000),
        success=st.none() | st.booleans(),
        features=st.sets(st.sampled_from(["a=1", "b=2", "c=3"])).map(sorted).map(tuple),
        known_ms=st.integers(1_000, 2_000),
        question=st.sampled_from(["", "range", "direction"]),
        cluster=st.just("") | ids | st.sampled_from(["position_id=1", "position_id=2"]),
    ),
    max_size=30,
    unique_by=lambda row: row.decision_id,
)


def cluster_of(row, rows):
    """The cluster in which a row counts: a decision that a chain began with is in that."""
    begins_chain = any(row.decision_id == one.cluster for one in rows)
    return row.cluster or (row.decision_id if begins_chain else None)


@given(evidence)
def test_a_table_has_every_row_in_order_of_time(evidence):
    tables = build_tables(iter(evidence))
    expected = sorted(evidence, key=lambda row: row.decision_type)
    for table, (decision_type, group) in zip(tables, groupby(expected, lambda row: row.decision_type), strict=True):
        rows = sorted(group, key=lambda row: (row.timestamp_ms, bool(row.success), name_digest(row.decision_id)))
        resolved = [row for row in rows if row.success is not None]
        pending = [row for row in rows if row.success is None]
        assert table.decision_type == decision_type
        assert table.success.tolist() == [row.success for row in resolved]
        assert table.known_ms.tolist() == [row.known_ms for row in resolved]
        for part, of_part in ((table, resolved), (table.pending, pending)):
            assert part.times_ms.tolist() == [row.timestamp_ms for row in of_part]
            assert [part.questions[code] for code in part.question_codes] == [row.question for row in of_part]
            for feature in ("a=1", "b=2", "z=9"):
                assert part.features.matching([feature]).tolist() == [feature in row.features for row in of_part]
        codes = np.concatenate([table.cluster_codes, table.pending.cluster_codes]).tolist()
        clusters = [cluster_of(row, rows) for row in (*resolved, *pending)]
        assert [code == -1 for code in codes] == [cluster is None for cluster in clusters]
        pairs = {(code, cluster) for code, cluster in zip(codes, clusters, strict=True) if cluster}
        assert len(pairs) == len({code for code, _ in pairs}) == len({cluster for _, cluster in pairs})
        assert {code for code, _ in pairs} == set(range(len(pairs)))


SCRIPT = """
from agent_memory.learning.evidence_table import build_tables
from agent_memory.model.evidence import Evidence
rows = [Evidence(f"d-{n}", "QUERY", n, True, (), cluster=f"position_id={n * 7 % 10}") for n in range(40)]
print(build_tables(rows)[0].cluster_codes.tolist())
"""


@pytest.mark.slow
def test_clusters_have_the_same_numbers_in_every_process():
    printed = {
        subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert printed == {f"{[*range(10)] * 4}\n"}


def test_a_later_outcome_moves_a_row_out_of_the_pending_ones():
    row = Evidence("d", "QUERY", 5, None, ("a=1",))
    (before,), (after,) = build_tables([row]), build_tables([replace(row, success=False)])
    assert (len(before), len(before.pending), len(after), len(after.pending)) == (0, 1, 1, 0)
