"""Logs of real decisions, read as an agent would have logged them: with shuffled outcomes nothing is found in them.

They lie beside the project, where they are there at all; the manifest with them says what they are.
"""

from pathlib import Path

import duckdb
import pytest

from agent_memory.learning.controls import shuffled
from agent_memory.learning.evidence import evidence_of
from agent_memory.learning.patterns import identify_patterns
from agent_memory.model.evidence import Evidence

DATA = Path(__file__).parents[4] / "shared" / "data"
BANDIT, CARRY = DATA / "open_bandit_small_60k.parquet", DATA / "btc_carry_trade_log_2021_2023.parquet"
PEOPLE = tuple(f"user_feature_{n}" for n in range(4))

pytestmark = pytest.mark.slow


def rows_of(path: Path, time: str, *columns: str) -> list[dict]:
    """These columns of a file, and `at`, the time in ISO 8601."""
    if not path.exists():
        pytest.skip(f"{path.name} does not lie in {DATA}")
    at = f"strftime({time}::TIMESTAMPTZ AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    names = (*columns, "at")
    query = f"SELECT {', '.join(columns)}, {at} FROM read_parquet(?)"  # noqa: S608  text of our own
    found = duckdb.connect(config={"threads": "1"}).execute(query, [str(path)])
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def bandit_log() -> list[Evidence]:
    """Which item was shown to whom at which place, and whether it was clicked, by two policies in three campaigns."""
    told = ("campaign", "policy", "item_id", "position", "click", *PEOPLE)
    return [
        evidence_of(
            {
                "decision_id": f"shown-{n}",
                "decision_type": f"RECOMMENDATION_{row['campaign'].upper()}",
                "timestamp": row["at"],
                "context": {name: row[name] for name in PEOPLE},
                "reasoning": {"item": str(row["item_id"]), "place": str(row["position"])},
                "metadata": {"strategy": row["policy"]},
                "success": bool(row["click"]),
            }
        )
        for n, row in enumerate(rows_of(BANDIT, "timestamp", *told))
    ]


def carry_log() -> list[Evidence]:
    """Trades of seven strategies, most of which lost."""
    told = ("signal_split", "strategy_name", "entry_reason", "task", "gross_pnl_usd")
    return [
        evidence_of(
            {
                "decision_id": f"trade-{n}",
                "decision_type": "TRADE",
                "timestamp": row["at"],
                "context": {"market": {"split": row["signal_split"]}},
                "reasoning": {"strategy": row["strategy_name"], "entry": row["entry_reason"], "task": row["task"]},
                "success": row["gross_pnl_usd"] > 0,
            }
        )
        for n, row in enumerate(rows_of(CARRY, "entry_timestamp", *told))
    ]


@pytest.mark.parametrize(("log", "count", "least_tried"), [(bandit_log, 60_000, 2_500), (carry_log, 1_211, 3)])
def test_real_decisions_with_shuffled_outcomes_teach_nothing(log, count, least_tried):
    evidence = log()
    assert len(evidence) == count
    assert identify_patterns(evidence).candidates_tried >= least_tried
    assert [identify_patterns(shuffled(evidence, seed)).patterns for seed in range(5)] == [()] * 5
