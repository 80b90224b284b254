import io
from datetime import date

import pytest
from rich.console import Console

from demo.nightly_jobs import NightlyRun
from trading_agents.demo.tables import report_tables
from trading_agents.demo.terminal import ReplayDisplay, Terminal

RATE = {"with_outcome": 300, "succeeded": 186, "success_rate": 0.62, "low": 0.564, "high": 0.673}
NO_OUTCOMES = {"with_outcome": 0, "succeeded": 0, "success_rate": None, "low": None, "high": None}
PATTERN = {
    "pattern_id": "p",
    "description": "Signals in high-volatility markets: 62% of 300 succeeded",
    "confidence": 0.98,
    "success_rate": 0.62,
    "sample_size": 300,
    "base_rate": 0.48,
    "status": "active",
}


def report(**changes):
    return {
        "totals": {"decisions": 1234, "with_outcome": 300},
        "success_by_type": [
            {"decision_type": "QUERY", "decisions": 934, **NO_OUTCOMES},
            {"decision_type": "SIGNAL_GENERATION", "decisions": 300, **RATE},
        ],
        "success_by_source": [
            {"source": "whales", "decision_type": "SIGNAL_GENERATION", "measured_by": "outcome", **RATE}
        ],
        "success_by_context": [
            {"context_type": "trend=bullish|volatility=high", "decision_type": "QUERY", **NO_OUTCOMES},
            {"context_type": "trend=bearish|volatility=low", "decision_type": "SIGNAL_GENERATION", **RATE},
        ],
        "patterns": [PATTERN],
        "levels": [
            {
                "level": "immediate",
                "store": "Redis",
                "age": "< 1 h",
                "decisions": 6,
                "entries": 3,
                "oldest": "2026-11-20T10:00:00.000Z",
                "newest": None,
            },
            {"level": "archive", "store": "S3", "age": "> 30 days", "decisions": 13104, "oldest": None, "newest": None},
        ],
        "control": {"shuffles": 20, "promoted": 0, "candidates_tried": 38240},
        "cost": {
            "scenario": "One agent",
            "price_date": "2026-10-02",
            "lines": [{"service": "DynamoDB", "usage": "131,512 write units", "monthly_usd": 0.09}],
            "total_usd": 17.74,
        },
        **changes,
    }


def shown(renderable, width=120):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(renderable)
    return console.file.getvalue()


def rows(text):
    """Lines as lists of cells."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def test_the_tables_show_the_report():
    text = shown(report_tables(report()))
    assert "1,234 decisions, 300 with outcome\n" in text
    cells = rows(text)
    assert ["signal generation", "300", "300", "62.0 %", "56.4 - 67.3 %"] in cells
    assert ["query", "934", "0", "-", "-"] in cells
    assert ["signal generation", "whales", "300", "62.0 %", "56.4 - 67.3 %"] in cells
    assert "1 active" in text
    assert ["signal generation", "trend bearish, volatility low", "300", "62.0 %", "56.4 - 67.3 %"] in cells
    assert ["query", "trend bullish, volatility high", "0", "-", "-"] in cells
    assert ["Signals in high-volatility markets", "62.0 %", "48.0 %", "300", "0.98", "active"] in cells
    assert ["immediate", "Redis", "< 1 h", "6", "3", "11-20 10:00", "-"] in cells
    assert ["archive", "S3", "> 30 days", "13,104", "-", "-"] in cells
    assert ["DynamoDB", "131,512 write units", "0.09"] in cells
    assert ["Total", "17.74"] in cells
    assert "with outcomes shuffled 20 times, 0 patterns of 38,240 candidates were promoted." in text


def test_the_largest_samples_and_most_confident_patterns_come_first_and_the_rest_is_counted():
    contexts = [
        {"context_type": f"volatility=v{n}", "decision_type": "QUERY", **RATE, "with_outcome": n} for n in range(1, 20)
    ]
    patterns = [{**PATTERN, "description": f"pattern {n}", "confidence": n / 20} for n in range(13)]
    patterns.append({**PATTERN, "description": "old one", "confidence": 1.0, "status": "deprecated"})
    text = shown(report_tables(report(success_by_context=contexts, patterns=patterns)))
    assert text.index("volatility v19") < text.index("volatility v18")
    assert "volatility v7 " not in text
    assert "and 7 more contexts in the report" in text
    assert text.index("pattern 12") < text.index("pattern 11")
    assert "old one" not in text
    assert "and 4 more patterns in the report" in text


def test_an_empty_report_says_so():
    nothing = dict.fromkeys(("success_by_context", "success_by_type", "success_by_source", "patterns"), ())
    text = shown(report_tables(report(totals={"decisions": 0, "with_outcome": 0}, control=None, **nothing)))
    assert "0 decisions, 0 with outcome" in text
    assert "No patterns learned yet." in text
    assert "Control" not in text


def test_a_pattern_that_the_agent_stored_itself_can_lack_numbers():
    bare = {**PATTERN, "success_rate": None, "base_rate": None, "sample_size": None, "description": "by hand"}
    assert ["by hand", "-", "-", "-", "0.98", "active"] in rows(shown(report_tables(report(patterns=[bare]))))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(len, shown(report_tables(report()), width).splitlines())) <= width


def test_the_display_counts_days_decisions_jobs_and_patterns():
    console = Console(file=io.StringIO(), width=140, force_terminal=True, color_system=None)
    with ReplayDisplay(console, 2) as display:
        display.on_day_logged(date(2026, 11, 19), 1144, 138)
        display.on_job_done(NightlyRun(date(2026, 11, 19), 5, 0.8))
        display.on_day_logged(date(2026, 11, 20), 66, 66)
    last = console.file.getvalue()
    for part in ("2026-11-20", "2/2", "1,210 decisions", "1 nightly jobs", "5 patterns"):
        assert part in last


def test_phases_are_timed_and_errors_are_one_line():
    console = Console(file=io.StringIO(), width=60)
    terminal = Terminal(console)
    with terminal.phase("Deploy"):
        terminal.step("a step " * 20)
    terminal.phases["Replay"] = 125.4
    terminal.times()
    text = console.file.getvalue()
    assert "deploy 0.0 s, replay 2 min 05 s" in " ".join(text.split())
    assert len([line for line in text.splitlines() if "a step" in line]) == 1
