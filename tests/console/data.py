"""A file with decisions, memories, an experiment, nightly reports and sealed days, as the console is shown it."""

from datetime import UTC, date, datetime, timedelta

from agent_memory import DecisionLogger, Experiment, MemoryManager, decision_id_for
from agent_memory.cli.console.server import Console
from agent_memory.cli.console.source import open_source
from agent_memory.core.clock import FixedClock
from agent_memory.nightly.run import run_nightly_jobs
from agent_memory.storage.store_urls import stores_at

AGENT = "desk-trader"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAST_DAY = date(2026, 11, 19)
PORT = 8765
NAME = "sqlite:///memory.db"
BASE = f"http://127.0.0.1:{PORT}"
RULE = "breakouts-fail"
DAYS, A_DAY = 34, 4
_BATCH = 500


def clock(hours=0, now=NOW):
    """The time of the tests, or some hours later."""
    return FixedClock(int((now + timedelta(hours=hours)).timestamp() * 1000))


def fill(url, days=DAYS, a_day=A_DAY):
    """Write the data to a file; returns its stores."""
    return fill_stores(stores_at(url, clock()), days, a_day)


def fill_stores(stores, days, a_day, now=NOW):
    """Write the data of the days before a time; returns the stores."""
    memory = MemoryManager(AGENT, stores=stores, clock=clock(-24 * (days + 1), now)).sync
    log = DecisionLogger(AGENT, stores=stores, clock=clock(0, now)).sync
    experiment = Experiment("memory", share=0.2)
    first = now - timedelta(days=days)
    for version, confidence in enumerate((0.6, 0.7), start=1):
        rule = {
            "description": f"Breakouts in thin volume fail, version {version}",
            "confidence": confidence,
            "learned_at": (first - timedelta(days=1)).isoformat(),
            "status": "active",
            "success_rate": confidence,
            "interval": [confidence - 0.1, confidence + 0.1],
            "base_rate": 0.5,
            "occurrences": 100 * version,
        }
        memory.store_ltm("PATTERN", RULE, rule, reason=f"reason {version}")
    numbers = range(days * a_day)
    made = [_decision(number, first, a_day, experiment) for number in numbers]
    outcomes = [one for number in numbers for one in _outcomes(number, made[number])]
    for rows, write in ((made, log.log_decisions), (outcomes, log.log_outcomes)):
        for start in range(0, len(rows), _BATCH):
            results = write(rows[start : start + _BATCH])
            assert {one["status"] for one in results} <= {"created", "recorded"}
    return stores


def _decision(number, first, a_day, experiment):
    """The arguments of one decision; a third of them name the rule, and each follows from the one before on its day."""

    def type_and_id(number):
        decision_type = "TRADE" if number % 2 else "SIGNAL_GENERATION"
        return decision_type, decision_id_for(decision_type, at(number), f"decision {number}")

    def at(number):
        return first + timedelta(days=number // a_day, seconds=(number % a_day) * min(3_600, 70_000 // a_day))

    decision_type, decision_id = type_and_id(number)
    return {
        "decision_type": decision_type,
        "decision_id": decision_id,
        "context": {"market": {"trend": "up" if number % 2 else "down"}, "symbol": ("AAPL", "MSFT")[number % 2]},
        "reasoning": {
            "action": ("buy", "sell", "hold")[number % 3],
            "source": "news" if number % 4 else "chart",
            "scores": {"buy": 0.5 + number / 1_000_000, "sell": 0.25, "hold": -0.125},
            "note": f"breakout number {number}",
        },
        "metadata": experiment.assign(f"cycle-{number}").metadata(),
        "timestamp": at(number),
        "parent_ids": [type_and_id(number - 1)[1]] if number % a_day else [],
        "memory_ids": [RULE] if number % 3 == 0 else [],
        "policy": "greedy",
        "policy_version": "3",
        "propensity": 0.25,
    }


def _outcomes(number, decision):
    """The outcomes of a decision: one in ten has none yet, one in seven a second horizon."""
    if number % 10 == 0:
        return
    is_right = number % 5 < (2 if decision["memory_ids"] else 4)
    known = {
        "decision_id": decision["decision_id"],
        "success": is_right,
        "outcome": {"pnl": 1.25 if is_right else -2.5},
    }
    yield {**known, "timestamp": decision["timestamp"] + timedelta(hours=1)}
    if number % 7 == 0:
        yield {**known, "horizon": "1d", "timestamp": decision["timestamp"] + timedelta(hours=2)}


def run_jobs(stores, last_day=LAST_DAY):
    """Run the nightly jobs of all days that have ended; days of 30 days and more are sealed."""
    (entry,) = run_nightly_jobs([AGENT], last_day, stores)
    assert "error" not in entry
    return entry


def console_of(stores, **options):
    """The console on stores, as an ASGI application under the address `BASE`."""
    return Console(open_source(stores, NAME, **options), PORT)
