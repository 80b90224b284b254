"""Reports to render: a rich one whose numbers agree with each other, and the smallest one."""

import random
from datetime import date, timedelta
from itertools import product
from typing import Any

from agent_memory.learning.intervals import wilson_interval

TYPES = {"SOURCE_SELECTION": 0.61, "SIGNAL_GENERATION": 0.54, "RISK_ASSESSMENT": 0.66, "POSITION_SIZING": 0.5}
CONTEXTS = [
    f"trend={trend}|volatility={volatility}"
    for trend, volatility in product(("bullish", "sideways", "bearish"), ("low", "medium", "high"))
]
SOURCES = {"technical": 0.58, "derivatives": 0.63, "onchain": 0.57, "sentiment": 0.51, "macro": 0.565, "news": 0.55}
LAST_DAY = date(2026, 11, 20)


def wilson(succeeded: int, n: int) -> dict[str, float | None]:
    """Rate and 95 % Wilson interval as in the report."""
    if n == 0:
        return {"success_rate": None, "low": None, "high": None}
    low, high = wilson_interval(succeeded / n, n)
    return {"success_rate": succeeded / n, "low": low, "high": high}


def rich_report(days: int = 120, types: dict[str, float] | None = None) -> dict[str, Any]:
    """120 days of four decision types in nine contexts, and six patterns, with every section filled."""
    types = TYPES if types is None else types
    rng = random.Random(7)
    per_day, cells = [], {}
    for back in range(days - 1, -1, -1):
        on = LAST_DAY - timedelta(days=back)
        weekend = on.weekday() >= 5
        for decision_type, rate in types.items():
            decisions = rng.randint(16, 26) if weekend else rng.randint(30, 44)
            with_outcome = 0 if back == 0 else decisions - rng.randint(0, 1)
            succeeded = 0
            for _ in range(with_outcome):
                context = rng.choice(CONTEXTS)
                lift = 0.09 if context.endswith("high") and rate > 0.6 else -0.08 if "bearish" in context else 0
                won = rng.random() < rate + lift
                succeeded += won
                cell = cells.setdefault((context, decision_type), [0, 0])
                cell[0] += 1
                cell[1] += won
            per_day.append(
                {
                    "date": on.isoformat(),
                    "decision_type": decision_type,
                    "decisions": decisions,
                    "with_outcome": with_outcome,
                    "succeeded": succeeded,
                }
            )
    total, known = (sum(row[key] for row in per_day) for key in ("decisions", "with_outcome"))
    return {
        "agent_id": "market-hunter",
        "generated_at": "2026-11-20T23:41:07.512Z",
        "time_range": [(LAST_DAY - timedelta(days=days - 1)).isoformat() + "T00:00:00Z", "2026-11-20T23:00:00Z"],
        "totals": {"decisions": total, "with_outcome": known},
        "success_by_type": [type_row(name, per_day) for name in types],
        "decisions_per_day": per_day,
        "success_by_context": [
            {"context_type": c, "decision_type": t, "with_outcome": n, "succeeded": s, **wilson(s, n)}
            for (c, t), (n, s) in sorted(cells.items())
        ],
        "success_by_source": [
            {
                "source": name,
                "decision_type": "SIGNAL_GENERATION",
                "measured_by": "outcome",
                "with_outcome": n,
                "succeeded": round(n * rate),
                **wilson(round(n * rate), n),
            }
            for (name, rate), n in zip(SOURCES.items(), (4211, 1388, 2950, 3307, 1904, 612), strict=True)
        ],
        "patterns": patterns(),
        "confidence_trends": confidence_trends(),
        "levels": levels(total),
        "reliability": reliability(),
        "control": {"shuffles": 20, "promoted": 0, "candidates_tried": 4912},
        "cost": cost(),
    }


def type_row(decision_type: str, per_day: list[dict[str, Any]]) -> dict[str, Any]:
    """The totals of a decision type."""
    rows = [row for row in per_day if row["decision_type"] == decision_type]
    sums = {name: sum(row[name] for row in rows) for name in ("decisions", "with_outcome", "succeeded")}
    return {"decision_type": decision_type, **sums, **wilson(sums["succeeded"], sums["with_outcome"])}


def confidence_trends() -> list[dict[str, Any]]:
    """Five patterns that have changed from version to version, one of them removed in the end, and one that is new."""
    found = []
    for number, pattern in enumerate(patterns()):
        versions = [
            {
                "at": f"2026-{9 + n // 4:02d}-{3 + 7 * (n % 4):02d}T00:00:00.000Z",
                "version": n + 1,
                "confidence": min(0.999, 0.55 + 0.05 * n + 0.02 * number),
                "status": "active",
                "removed": number == 4 and n == 8,
                "base_rate": pattern["base_rate"],
                "sample_size": 40 * (n + 1),
                **wilson(round(40 * (n + 1) * 0.6), 40 * (n + 1)),
            }
            for n in range(9 if number < 5 else 1)
        ]
        named = {name: pattern[name] for name in ("pattern_id", "description", "status")}
        found.append({**named, "versions": versions})
    return found


def patterns() -> list[dict[str, Any]]:
    """Six patterns, one of them a warning and one no longer active."""
    seen = [
        ("Source selections with derivatives in bullish, high-volatility markets", 0.712, 0.553, 340, 0.999, "active"),
        ("Risk assessment decisions in high-volatility markets in Us hours", 0.741, 0.642, 512, 0.998, "active"),
        ("Signals where signal type is range expansion", 0.634, 0.52, 908, 0.996, "active"),
        ("Signals in bearish markets where signal type is direction", 0.447, 0.561, 644, 0.991, "active"),
        (
            "Source selections with onchain and technical in sideways, low-volatility markets",
            0.688,
            0.59,
            221,
            0.962,
            "active",
        ),
        ("Position sizing decisions in bullish markets on MSFT", 0.59, 0.49, 187, 0.71, "deprecated"),
    ]
    return [
        {
            "pattern_id": f"pattern-{number}",
            "description": f"{text} succeeded in {rate:.0%} of {n:,} cases, against {base:.0%} of others",
            "confidence": confidence,
            "sample_size": n,
            "base_rate": base,
            "effect": rate - base,
            **wilson(round(rate * n), n),
            "status": status,
            "learned_at": f"2026-{9 + number // 3:02d}-{3 + 4 * number:02d}T00:05:00Z",
        }
        for number, (text, rate, base, n, confidence, status) in enumerate(seen)
    ]


def reliability() -> dict[str, Any]:
    """Seventy forecasts in four bins, the last of them off the line."""
    bins = [(0.5, 0.6, 8, 0.55, 4), (0.7, 0.8, 12, 0.76, 10), (0.8, 0.9, 10, 0.86, 9), (0.9, 1.0, 40, 0.97, 32)]
    return {
        "stretches": 6,
        "forecasts": 70,
        "came_true": 55,
        "stated": 60.9,
        "brier": 0.161,
        "brier_of_base_rate": 0.168,
        "bins": [
            {
                "from": low,
                "to": high,
                "count": n,
                "stated": stated,
                "came_true": came_true / n,
                "low": wilson(came_true, n)["low"],
                "high": wilson(came_true, n)["high"],
            }
            for low, high, n, stated, came_true in bins
        ],
    }


def levels(total: int) -> list[dict[str, Any]]:
    """The four levels of a replay that ends now; decisions of 30 to 90 days are in the table and the archive."""
    recent = total // 120
    historical = total * 29 // 120
    archived = total - recent - historical - 6
    rows = [
        ("immediate", "Redis", "< 1 h", 6, 11, "2026-11-20T22:00:00Z", "2026-11-20T22:58:00Z"),
        ("recent", "DynamoDB", "1-24 h", recent, 0, "2026-11-20T00:00:00Z", "2026-11-20T22:00:00Z"),
        ("historical", "DynamoDB", "1-30 days", historical, 0, "2026-10-22T00:00:00Z", "2026-11-19T23:00:00Z"),
        ("archive", "S3", "> 30 days", archived, 0, "2026-07-24T00:00:00Z", "2026-10-21T23:00:00Z"),
    ]
    names = ("level", "store", "age", "decisions", "entries", "oldest", "newest")
    return [dict(zip(names, row, strict=True)) for row in rows]


def cost() -> dict[str, Any]:
    """A cost section."""
    lines = [
        ("ElastiCache", "730 hours of a cache.t4g.micro node (Valkey)", 9.35),
        ("CloudWatch", "1 dashboard", 3.0),
        ("CloudWatch", "9 custom metrics", 2.7),
        ("CloudWatch", "14 alarms", 1.4),
        ("X-Ray", "108,670 traces", 0.55),
        ("CloudWatch", "572 MB of logs, kept a month (assumed: log bytes)", 0.3),
        ("DynamoDB", "185,040 write units: 25,920 decisions at 7, and nightly jobs", 0.12),
        ("API Gateway", "108,640 requests, 8,640 of them batches of 6", 0.11),
        ("S3", "674 MB, the archive after seven years, objects too small for Glacier", 0.02),
    ]
    return {
        "scenario": "One agent, a cycle every ten minutes, six decisions per cycle, everything switched on",
        "price_date": "2025-05-19 to 2026-10-02",
        "lines": [{"service": s, "usage": u, "monthly_usd": usd} for s, u, usd in lines],
        "total_usd": sum(usd for _, _, usd in lines),
        "notes": ["On-demand list prices of us-east-1.", "Free allowances are not subtracted."],
    }


def empty_report() -> dict[str, Any]:
    """An agent that has not decided anything yet."""
    return {
        "agent_id": "newcomer",
        "generated_at": "2026-11-20T23:41:07Z",
        "time_range": ["2026-11-20T00:00:00Z", "2026-11-20T23:41:07Z"],
        "totals": {"decisions": 0, "with_outcome": 0},
        "success_by_type": [],
        "decisions_per_day": [],
        "success_by_context": [],
        "success_by_source": [],
        "confidence_trends": [],
        "patterns": [],
        "levels": [],
        "reliability": {"stretches": 6, "forecasts": 0, "came_true": 0, "stated": None, "brier": None, "bins": []},
        "control": {"shuffles": 0, "promoted": 0, "candidates_tried": 0},
        "cost": {"scenario": "Nothing yet", "price_date": "2026-10-02", "lines": [], "total_usd": 0.0},
    }
