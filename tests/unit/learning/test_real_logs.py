"""Logs of real decisions, as an agent would have logged them: with permuted outcomes, no pattern is found.

The tests are skipped unless the data is in a folder beside the project, with a manifest that says where it is from.
"""

from pathlib import Path

import duckdb
import pytest

from agent_memory.learning.evidence import evidence_from_records
from agent_memory.learning.identification import identify_patterns
from agent_memory.model.evidence import Evidence
from benchmarks.synthetic_records import permute_outcomes

DATA = Path(__file__).parents[4] / "shared" / "data"
BANDIT, CARRY = DATA / "open_bandit_small_60k.parquet", DATA / "btc_carry_trade_log_2021_2023.parquet"
USER_FEATURES = tuple(f"user_feature_{n}" for n in range(4))

pytestmark = pytest.mark.slow


def rows_of(path: Path, time: str, *columns: str) -> list[dict]:
    """These columns of a file, and `at`, the time in ISO 8601."""
    if not path.exists():
        pytest.skip(f"{path.name} is not in {DATA}")
    at = f"strftime({time}::TIMESTAMPTZ AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    names = (*columns, "at")
    query = f"SELECT {', '.join(columns)}, {at} FROM read_parquet(?)"  # noqa: S608  constants of this module
    found = duckdb.connect(config={"threads": "1"}).execute(query, [str(path)])
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def bandit_log() -> list[Evidence]:
    """Items shown to users at positions, and whether they were clicked: two policies, three campaigns."""
    columns = ("campaign", "policy", "item_id", "position", "click", *USER_FEATURES)
    records = (
        {
            "decision_id": f"shown-{n}",
            "decision_type": f"RECOMMENDATION_{row['campaign'].upper()}",
            "timestamp": row["at"],
            "context": {name: row[name] for name in USER_FEATURES},
            "reasoning": {"item": str(row["item_id"]), "position": str(row["position"])},
            "metadata": {"strategy": row["policy"]},
            "success": bool(row["click"]),
        }
        for n, row in enumerate(rows_of(BANDIT, "timestamp", *columns))
    )
    return list(evidence_from_records(records))


def carry_log() -> list[Evidence]:
    """Trades of seven strategies, most of which lost."""
    columns = ("signal_split", "strategy_name", "entry_reason", "task", "gross_pnl_usd")
    records = (
        {
            "decision_id": f"trade-{n}",
            "decision_type": "TRADE",
            "timestamp": row["at"],
            "context": {"market": {"split": row["signal_split"]}},
            "reasoning": {"strategy": row["strategy_name"], "entry": row["entry_reason"], "task": row["task"]},
            "success": row["gross_pnl_usd"] > 0,
        }
        for n, row in enumerate(rows_of(CARRY, "entry_timestamp", *columns))
    )
    return list(evidence_from_records(records))


@pytest.mark.parametrize(("log", "count", "least_tried"), [(bandit_log, 60_000, 2_500), (carry_log, 1_211, 3)])
def test_real_decisions_with_permuted_outcomes_have_no_patterns(log, count, least_tried):
    evidence = log()
    assert len(evidence) == count
    assert identify_patterns(evidence).candidates_tried >= least_tried
    assert [identify_patterns(permute_outcomes(evidence, seed)).patterns for seed in range(5)] == [()] * 5
