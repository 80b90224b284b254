"""The nightly job says what experiments that withhold memory have shown."""

import json
import random
from datetime import date, timedelta

import pytest

from agent_memory import Experiment, MemoryManager
from agent_memory.cli import app as cli
from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.experiment_results import experiment_results
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.summary import summarize_day
from agent_memory.storage.factory import in_memory_stores
from tests.outcomes import known_at_once

FIRST = date(2026, 7, 1)
EXPERIMENT = Experiment("patterns-pay", 0.5, memory_type="PATTERN")


def day_of(n):
    return FIRST + timedelta(days=n)


def log_days(stores, agent, days, *, adds, cycles=24, paired=False, lie=False, unit=1):
    """Cycles with an experiment, in which memory adds to the rate of success."""
    log = DecisionLog(agent, stores, stores.clock)
    for n in days:
        chance = random.Random(f"{agent} {n}")
        made = []
        for k in range(cycles):
            assignment = EXPERIMENT.assign(f"{agent}-{n}-{k}")
            ms = day_start_ms(day_of(n)) + 3_000_000 * k
            metadata = assignment.metadata({}, without_memory=["news"] if paired else None)
            if lie and k == 0:
                metadata["experiments"][0]["withheld"] = not assignment.is_withheld
            uses = not assignment.is_withheld
            decision = {
                "decision_id": decision_id_for("SOURCE_SELECTION", ms / 1000, f"{agent} {n} {k}"),
                "decision_type": "SOURCE_SELECTION",
                "context": {"market": {"trend": chance.choice(["up", "down"])}},
                "reasoning": {"selected": ["whales" if uses else "news"]},
                "metadata": metadata,
            }
            won = chance.random() < 0.5 + adds * uses
            judged = {"whales": unit * (chance.random() < 0.5 + adds), "news": unit * (chance.random() < 0.5)}
            outcome = {"options": judged} if paired else {}
            made.append((decision, {"decision_id": decision["decision_id"], "outcome": outcome, "success": won}))
        log.log([decision for decision, _ in made])
        log.record_outcomes(known_at_once(outcome for _, outcome in made))


def stores_of(days):
    return in_memory_stores(FixedClock(day_start_ms(day_of(days)) + 60_000))


def shown(stores, agent="hunter"):
    return MemoryManager(agent, stores=stores, clock=stores.clock).sync.retrieve_ltm("EXPERIMENT")


def test_the_nightly_job_stores_the_difference_by_decision_type():
    stores = stores_of(5)
    log_days(stores, "hunter", range(5), adds=0.45, lie=True)
    for n in range(5):
        figures = consolidate("hunter", day_of(n), stores)
    assert figures["experiments"] == 1
    (found,) = shown(stores)
    assert (found["pattern_id"], found["status"], found["confidence"]) == ("patterns-pay", "running", None)
    assert found["withholds"] == {"memory_type": "PATTERN", "memory_id": None}
    figures = found["by_decision_type"]["SOURCE_SELECTION"]
    assert figures["misassigned"] == 5
    arms = [figures["strata"][0][arm]["decisions"] for arm in ("memory", "holdout")]
    assert sum(arms) == 5 * 24 - 5
    assert 0.2 < figures["uplift"] < 0.7
    assert figures["interval"][0] < figures["uplift"] < figures["interval"][1]
    assert figures["excludes_zero"] == (figures["interval"][0] > 0)
    report = summarize_day("hunter", day_of(4), stores)
    assert report["experiments"][0]["uplift"] == figures["uplift"]


def test_a_night_that_is_repeated_changes_nothing_and_earlier_ones_stay_readable():
    stores = stores_of(4)
    log_days(stores, "hunter", range(4), adds=0.2)
    for n in range(4):
        consolidate("hunter", day_of(n), stores)
    (before,) = shown(stores)
    consolidate("hunter", day_of(3), stores)
    assert shown(stores) == [before]
    memory = MemoryManager("hunter", stores=stores, clock=stores.clock).sync
    (then,) = memory.retrieve_ltm("EXPERIMENT", as_of=day_start_ms(day_of(2)) / 1000)
    strata = then["by_decision_type"]["SOURCE_SELECTION"]["strata"][0]
    assert strata["memory"]["decisions"] + strata["holdout"]["decisions"] == 2 * 24


def test_where_every_option_is_judged_the_choice_is_compared_with_the_one_without_memory():
    stores = stores_of(4)
    log_days(stores, "hunter", range(4), adds=0.4, paired=True)
    for n in range(4):
        consolidate("hunter", day_of(n), stores)
    (found,) = shown(stores)
    paired = found["by_decision_type"]["SOURCE_SELECTION"]["paired"]
    assert paired["decisions"] == 4 * 24
    assert paired["interval"][0] < paired["uplift"] < paired["interval"][1]


@pytest.mark.parametrize(("unit", "is_counted"), [(1e30, True), (1e70, False), (1e-70, True)])
def test_option_results_that_are_too_large_to_square_are_left_out(unit, is_counted):
    stores = stores_of(2)
    log_days(stores, "hunter", range(2), adds=0.4, paired=True, unit=unit)
    for n in range(2):
        consolidate("hunter", day_of(n), stores)
    (found,) = shown(stores)
    paired = found["by_decision_type"]["SOURCE_SELECTION"]["paired"]
    assert (paired["decisions"] == 2 * 24) == is_counted


def test_decisions_without_an_experiment_have_none_and_an_agents_own_memory_is_left_alone():
    stores = stores_of(2)
    log_days(stores, "hunter", range(1), adds=0.2)
    memory = MemoryManager("hunter", stores=stores, clock=stores.clock).sync
    memory.store_ltm("EXPERIMENT", "patterns-pay", {"mine": True})
    consolidate("hunter", day_of(0), stores)
    assert [one["mine"] for one in shown(stores)] == [True]
    assert experiment_results([]) == []


@pytest.mark.parametrize("figures", ["text", [1], {"TRADE": 5}, {"TRADE": {"strata": [{}]}}, {"TRADE": {}}])
def test_an_agents_own_memory_of_that_type_hides_no_others(figures):
    stores = stores_of(2)
    log_days(stores, "hunter", range(2), adds=0.2)
    consolidate("hunter", day_of(0), stores)
    memory = MemoryManager("hunter", stores=stores, clock=stores.clock).sync
    memory.store_ltm("EXPERIMENT", "own", {"by_decision_type": figures, "status": "running"})
    found = experiment_results(stores.memories.by_confidence("hunter", "EXPERIMENT"))
    assert [one["name"] for one in found] == ["patterns-pay"]


def test_several_agents_are_pooled(monkeypatch, capsys):
    stores = stores_of(3)
    agents = ["one", "two", "three"]
    for agent in agents:
        log_days(stores, agent, range(3), adds=0.3)
        for n in range(3):
            consolidate(agent, day_of(n), stores)
    monkeypatch.setattr("agent_memory.cli.options.open_deployment", lambda *_: stores)
    assert cli.main(["experiments", "--pooled", "--json"]) == 0
    (pooled,) = json.loads(capsys.readouterr().out)["experiments"]
    assert pooled["agents"] == sorted(agents)
    assert pooled["memory"]["units"] + pooled["holdout"]["units"] == 3 * 3 * 24
    assert cli.main(["experiments", "--agent", "one", "--agent", "two", "--json"]) == 0
    single = json.loads(capsys.readouterr().out)["experiments"]
    assert [one["agents"] for one in single] == [["one"], ["two"]]
    width = pooled["interval"][1] - pooled["interval"][0]
    assert all(one["interval"] is None or one["interval"][1] - one["interval"][0] > width for one in single)
    assert cli.main(["experiments", "--pooled"]) == 0
    assert "3 agents  SOURCE_SELECTION  running: " in capsys.readouterr().out
    assert cli.main(["experiments", "--agent", "nobody"]) == 0
    assert capsys.readouterr().out == "no experiment\n"


@pytest.mark.slow
def test_an_experiment_ends_when_its_evidence_does():
    stores = stores_of(182)
    log_days(stores, "hunter", range(0, 182, 13), adds=0.2, cycles=4)
    for n in range(0, 182, 60):
        consolidate("hunter", day_of(n), stores)
    consolidate("hunter", day_of(179), stores)
    (found,) = shown(stores)
    assert found["status"] == "ended"
    consolidate("hunter", day_of(181), stores)
    assert shown(stores) == [found]
