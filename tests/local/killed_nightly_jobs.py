"""Runs nightly jobs for twenty agents in child processes that are killed repeatedly. Used by test_nightly_job_kill.py.

Everything is imported once and each child is forked from here, before this process has any thread. All children use
the same clock, so that what a run writes depends on its day alone.
"""

import os
import random
import signal
import sys
import time
import traceback
from datetime import date, timedelta

from agent_memory.core.clock import FixedClock, day_start_ms, to_iso
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import LEARNING_PROGRESS
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.evidence import refresh_evidence
from agent_memory.nightly.reading import ReadDecision
from agent_memory.nightly.run import run_nightly_jobs
from agent_memory.storage.factory import open_stores
from agent_memory.storage.parquet.files import to_parquet  # noqa: F401  DuckDB is imported before the first fork

AGENTS = [f"agent-{n:02d}" for n in range(20)]
POISONED = "poisoned"
KINDS = ("QUERY", "SIGNAL_GENERATION")
ARCHIVED_DAYS = 12
LIFE_SECONDS = (0.01, 0.5)


def at_noon(day):
    return FixedClock(day_start_ms(day) + 12 * 3_600_000)


def stores_at(prefix, bucket, clock):
    return open_stores(table_prefix=prefix, archive_bucket=bucket, clock=clock)


def days_with_decisions(first_day, days):
    """The days with decisions: those that the runs archive, and those that they learn from."""
    oldest = first_day - timedelta(days=30)
    return [oldest + timedelta(days=n) for n in range(ARCHIVED_DAYS)] + [
        first_day + timedelta(days=n - 1) for n in range(days + 1)
    ]


def fill(prefix, bucket, first_day, days):
    """Decisions of every agent, evidence of months for some, and memories that are due for pruning."""
    for agent_id in (*AGENTS, POISONED):
        chance = random.Random(agent_id)
        for day in days_with_decisions(first_day, days):
            log = DecisionLog(agent_id, stores_at(prefix, bucket, at_noon(day)), at_noon(day))
            decisions, outcomes = random_day(agent_id, day, chance)
            log.log(decisions)
            log.record_outcomes(outcomes)
        before = at_noon(first_day - timedelta(days=40))
        old = LongTermMemory(agent_id, stores_at(prefix, bucket, before).memories, before)
        old.put("STRATEGY", "doubtful", {"confidence": 0.1})
    stores = stores_at(prefix, bucket, at_noon(first_day))
    for agent_id in AGENTS[:4]:
        learned_from = list(decisions_with_a_pattern(agent_id, first_day))
        learned = {"learned_through": (first_day - timedelta(days=1)).isoformat()}
        stores.states.put(agent_id, LEARNING_PROGRESS, learned, expected_version=0, now_ms=0)
        snapshot, day = stores.evidence.snapshot(agent_id), first_day - timedelta(days=3)
        refresh_evidence(
            snapshot, day, [ReadDecision.of(one) for one in learned_from], None, now_ms=stores.clock.now_ms()
        )
    stores.blobs.write(f"evidence/agent_id={POISONED}/evidence.parquet", b"not a Parquet file")


def random_day(agent_id, day, chance):
    """A day's decisions and outcomes; the last decision has no outcome."""
    decisions, outcomes = [], []
    for n in range(6):
        kind = KINDS[n % 2]
        moment = to_iso(day_start_ms(day) + n * 3_600_000)
        decision_id = decision_id_for(kind, moment, f"{agent_id} {n}")
        market = {"volatility": chance.choice(["low", "high"])}
        decisions.append(
            {"decision_type": kind, "context": {"market": market}, "reasoning": {}, "decision_id": decision_id}
        )
        if n != 5:
            outcomes.append({"decision_id": decision_id, "outcome": {"n": n}, "success": chance.random() < 0.5})
    return decisions, outcomes


def decisions_with_a_pattern(agent_id, first_day):
    """Decisions of ten weeks whose success depends on the volatility."""
    from agent_memory.model.decisions import Decision, Outcome

    chance = random.Random(f"{agent_id} planted")
    for n in range(1_500):
        at_ms = day_start_ms(first_day - timedelta(days=75)) + n * 4_000_000
        volatility = chance.choice(["low", "high"])
        success = chance.random() < (0.8 if volatility == "high" else 0.45)
        decision_id = decision_id_for("QUERY", to_iso(at_ms), f"planted {n}")
        context = {"market": {"volatility": volatility}}
        yield Decision(agent_id, decision_id, "QUERY", at_ms, context, {}, outcome=Outcome(success, {}, {}, at_ms))


def log_late(prefix, bucket, day):
    """Log an outcome of an early decision of every agent after its day was archived."""
    clock = at_noon(day)
    for agent_id in AGENTS:
        log = DecisionLog(agent_id, stores_at(prefix, bucket, clock), clock)
        early = day - timedelta(days=31)  # archived by the previous run
        decision_id = decision_id_for(KINDS[1], to_iso(day_start_ms(early) + 5 * 3_600_000), f"{agent_id} 5")
        # On the first day there is no such decision yet, and the outcome is refused.
        log.record_outcomes([{"decision_id": decision_id, "outcome": {"late": True}, "success": True}])


def run_once(prefix, bucket, day, seed):
    """Run the job of a day for all agents, in random order, as a process that knows nothing of earlier attempts."""
    stores = stores_at(prefix, bucket, at_noon(day + timedelta(days=1)))
    agents = [*AGENTS, POISONED]
    random.Random(seed).shuffle(agents)
    return run_nightly_jobs(agents, day, stores)


def forked(act):
    """Run a function in a child process; returns the process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = act() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def completed_run(prefix, bucket, day):
    def act():
        failed = [entry["agent_id"] for entry in run_once(prefix, bucket, day, 0) if "error" in entry]
        return 0 if failed == [POISONED] else 3

    _, status = os.waitpid(forked(act), 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"the run of {day} failed"


def killed_run(prefix, bucket, day, seconds, seed):
    """Run the job and kill it; whether it was killed before its end."""
    child = forked(lambda: run_once(prefix, bucket, day, seed) and 0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(prefix, bucket, first_day, days, kills):
    first_day, days, kills = date.fromisoformat(first_day), int(days), int(kills)
    moments = random.Random(20_261_124)
    _, status = os.waitpid(forked(lambda: fill(prefix, bucket, first_day, days)), 0)
    assert os.waitstatus_to_exitcode(status) == 0
    killed = 0
    for n in range(days):
        day = first_day + timedelta(days=n)
        _, status = os.waitpid(forked(lambda day=day: log_late(prefix, bucket, day)), 0)
        assert os.waitstatus_to_exitcode(status) == 0
        for k in range(kills // days):
            killed += killed_run(prefix, bucket, day, moments.uniform(*LIFE_SECONDS), f"{n} {k}")
        completed_run(prefix, bucket, day)
    sys.stdout.write(str(killed))


if __name__ == "__main__":
    main(*sys.argv[1:])
