"""Statistics from the counts of days equal those of their decisions, whatever is logged late or amended."""

import base64
import json
import zlib
from array import array
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import DAY_MS, HOUR_MS, date_of
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import ROLLUP_CHANGES, ROLLUP_PROGRESS, ROLLUPS, is_rollup
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.decisions.rolled_days import ChangeTracker
from agent_memory.decisions.rollup_data import rollup_data, rollup_from
from agent_memory.decisions.rollups import Cell, CellKey, Rollup
from agent_memory.nightly.rollups import roll_up_days
from tests.contract.damage import damage_decision
from tests.contract.samples import NOW, new_agent

GROUPINGS = ("context", "source", "type")
KINDS = ("QUERY", "SIGNAL_GENERATION")
TODAY = date_of(NOW)


def log_one(log, days_ago, n=0):
    kind = KINDS[n % 2]
    return log.log_one(
        {
            "decision_type": kind,
            "context": {"market": {"trend": ("up", "down")[n % 3 == 0]}} if n % 5 else {},
            "reasoning": {"sources": ["a", "b"][: n % 3]},
            "decision_id": new_decision_id(kind, NOW - days_ago * DAY_MS + n),
        }
    ).decision_id


def outcome_of(decision_id, n, **options):
    return {
        "decision_id": decision_id,
        "success": n % 2 == 0,
        "outcome": {"quality": n / 7},
        "metrics": {"latency_ms": n % 4} if n % 3 else {},
        **options,
    }


def count_days(agent, stores, clock):
    return roll_up_days(agent, date_of(clock.now_ms()) - timedelta(days=1), stores)


def in_earlier_format(rollup):
    """The data of a state as versions stored it that had a row of JSON for each cell."""
    rows = [[*key, cell.decisions, list(cell.latency_ms), list(cell.quality)] for key, cell in rollup.cells.items()]
    return {"counts": base64.b64encode(zlib.compress(json.dumps(rows).encode())).decode()}


def store_in_earlier_format(agent, stores, every):
    """Store the counts of every so many days as earlier versions did."""
    for name, state in stores.states.list_by_prefix(agent, ROLLUPS)[::every]:
        data = in_earlier_format(rollup_from(state.data))
        stores.states.put(agent, f"{ROLLUPS}{name}", data, expected_version=state.version, now_ms=state.updated_ms)


def assert_equal_to_a_recount(log, criteria=DecisionFilter()):  # noqa: B008  it is frozen
    for group_by in GROUPINGS:
        assert log.statistics(criteria, group_by) == log.statistics(criteria, group_by, exact=True)
    expected = log.performance(criteria.time_range, exact=True)
    assert log.performance(criteria.time_range) == expected
    for limit in (1, 3):
        counts, cursor = PerformanceCounts(), None
        while True:
            part = log.performance(criteria.time_range, limit=limit, cursor=cursor)
            counts.add_rows(part)
            cursor = part["cursor"]
            if cursor is None:
                break
        assert counts.as_dict() == {name: expected[name] for name in counts.as_dict()}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.integers(0, 3), st.integers(0, 8)),
        st.tuples(st.sampled_from(["outcome", "amend", "horizon"]), st.integers(0, 20), st.integers(0, 8)),
        st.tuples(st.just("count"), st.just(0), st.just(0)),
        st.tuples(st.just("earlier format"), st.integers(1, 3), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([1, 30, 61, 24 * 60]), st.just(0)),
    ),
    max_size=14,
)


@pytest.mark.parametrize("stores", ["in_memory", "sqlite"], indirect=True)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_statistics_equal_a_recount_after_any_order_of_events(stores, clock, steps):
    agent = new_agent()
    # Two processes: what one of them has recorded, the other one does not know.
    logs = [DecisionLog(agent, stores, clock) for _ in range(2)]
    ids = [log_one(logs[0], days, n) for n, days in enumerate((3, 3, 2, 1, 0))]
    for step, (what, number, n) in enumerate(steps):
        log = logs[step % 2]
        if what == "log":
            ids.append(log_one(log, number, 10 * step + n))
        elif what == "count":
            count_days(agent, stores, clock)
        elif what == "earlier format":
            store_in_earlier_format(agent, stores, number)
        elif what == "wait":
            clock.advance(number * 60_000)
        else:
            options = {"amend": True} if what == "amend" else {"horizon": "1h"} if what == "horizon" else {}
            log.record_outcomes([outcome_of(ids[number % len(ids)], n, **options)])
        assert_equal_to_a_recount(log)
        midday = (f"{TODAY - timedelta(days=2)}T12:00:00Z", f"{TODAY}T00:00:00Z")
        assert_equal_to_a_recount(log, DecisionFilter("QUERY", time_range=midday))


@pytest.mark.parametrize("stores", ["in_memory", "sqlite"], indirect=True)
@pytest.mark.parametrize("first_write", [ROLLUP_PROGRESS, ROLLUPS])
def test_of_two_jobs_at_once_the_second_begins_again(stores, clock, monkeypatch, first_write):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    for n, days in enumerate((3, 2, 1)):
        log_one(log, days, n)
    others = []
    put = stores.states.put

    def put_after_another_job(agent_id, name, data, **options):
        if name.startswith(first_write) and not others:
            others.append(None)
            others.append(count_days(agent, stores, clock))
        return put(agent_id, name, data, **options)

    monkeypatch.setattr(stores.states, "put", put_after_another_job)
    assert count_days(agent, stores, clock) == {"days": 0, "remaining_days": 0}
    assert others[1:] == [{"days": 3, "remaining_days": 0}]
    assert_equal_to_a_recount(log)


def test_counted_days_are_not_read_again_until_they_change(stores, clock, monkeypatch):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    ids = [log_one(log, days, n) for n, days in enumerate((5, 4, 3, 2, 1, 0))]
    assert count_days(agent, stores, clock) == {"days": 5, "remaining_days": 0}
    assert count_days(agent, stores, clock) == {"days": 0, "remaining_days": 0}
    read = []
    scan = stores.decisions.scan_with_positions

    def reading(*arguments, **options):
        for one in scan(*arguments, **options):
            read.append(one)
            yield one

    monkeypatch.setattr(stores.decisions, "scan_with_positions", reading)

    def decisions_read():
        read.clear()
        assert log.statistics(DecisionFilter(), "source")["total"]["count"] == 6
        return len([one for one in read if hasattr(one, "context")])

    assert decisions_read() == 1
    log.record_outcome(outcome_of(ids[1], 1))
    assert decisions_read() == 2
    clock.advance(2 * HOUR_MS)
    assert count_days(agent, stores, clock)["days"] == 1
    assert decisions_read() == 1
    assert log.statistics(DecisionFilter(), "type")["total"]["with_outcome"] == 1
    assert not stores.states.list_by_prefix(agent, ROLLUP_CHANGES)


def test_counted_days_are_added_without_reading_their_decisions(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    for n, days in enumerate((5, 4, 4, 3, 0, 0, 0)):
        log_one(log, days, n)
    count_days(agent, stores, clock)
    log.record_outcome(outcome_of(log_one(log, 4, 9), 1))
    found, cursor = [], None
    while True:
        part = log.performance(limit=2, cursor=cursor)
        found.append(part["decisions"])
        cursor = part["cursor"]
        if cursor is None:
            break
    # A counted day, two of a day that has changed; its third, a counted day, the first of today; two of today.
    assert found == [3, 3, 2]


def test_a_change_in_progress_while_a_day_is_counted_is_kept(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    decision_id = log_one(log, 1)
    count_days(agent, stores, clock)
    tracker = ChangeTracker(agent, stores.states, clock)
    tracker.track([log._registry.key(decision_id)])  # the write itself comes later
    count_days(agent, stores, clock)
    assert [name for name, _ in stores.states.list_by_prefix(agent, ROLLUP_CHANGES)]
    stores.decisions.record_outcomes([(log._registry.key(decision_id), _update())])
    assert_equal_to_a_recount(log)


def _update():
    from agent_memory.model.outcomes import OutcomeUpdate
    from tests.contract.samples import outcome

    return OutcomeUpdate(outcome(), amend=False, headline=False)


def test_an_outcome_during_the_first_count_is_recorded_after_it(stores, clock, monkeypatch):
    """The writer looked for counts before there were any, and writes after the day was read."""
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    decision_id = log_one(log, 1)
    record = stores.decisions.record_outcomes

    def after_the_count(updates):
        count_days(agent, stores, clock)
        return record(updates)

    monkeypatch.setattr(stores.decisions, "record_outcomes", after_the_count)
    log.record_outcome(outcome_of(decision_id, 2))
    assert_equal_to_a_recount(log)
    assert log.statistics(DecisionFilter(), "type")["total"]["with_outcome"] == 1


def test_a_day_with_a_damaged_decision_is_read_and_names_it(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    ids = [log_one(log, 1, n) for n in range(3)]
    damage_decision(stores, log._registry.key(ids[0]))
    count_days(agent, stores, clock)
    found = log.statistics(DecisionFilter(), "type")
    assert (found["total"]["count"], found["complete"], [one["id"] for one in found["missing"]]) == (2, False, [ids[0]])


A_ROLLUP = rollup_data(Rollup({CellKey("QUERY", None, (), None, True): Cell(1, array("d", [1.5]), array("d"))}))
OF_NO_CELL = rollup_data(Rollup())


@pytest.mark.parametrize(
    "data",
    [
        {"counts": "bm90IHpsaWI="},
        {**A_ROLLUP, "keys": "bm90IHpsaWI="},
        {**A_ROLLUP, "keys": OF_NO_CELL["keys"]},
        {**A_ROLLUP, "sizes": OF_NO_CELL["sizes"]},
        {**A_ROLLUP, "latency_ms": OF_NO_CELL["latency_ms"]},
        {"keys": A_ROLLUP["keys"]},
    ],
)
def test_damaged_counts_are_read_from_the_decisions(stores, clock, data):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    log_one(log, 1)
    count_days(agent, stores, clock)
    name = f"{ROLLUPS}{TODAY - timedelta(days=1)}"
    stores.states.put(agent, name, data, expected_version=1, now_ms=NOW)
    assert_equal_to_a_recount(log)


async def test_counts_are_neither_exported_nor_left_behind(stores, clock, tmp_path):
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    log = DecisionLog("hunter", stores, clock)
    decision_id = log_one(log, 1)
    count_days("hunter", stores, clock)
    log.record_outcome(outcome_of(decision_id, 1))
    assert (await memory.export(tmp_path / "hunter.zip"))["counts"]["states"] == 0
    stored = [name for name, _ in stores.states.list_by_prefix("hunter", "")]
    assert len([name for name in stored if is_rollup(name)]) == 3
    await memory.forget(dry_run=False)
    assert stores.states.list_by_prefix("hunter", "") == []


async def test_the_public_method_takes_exact(stores, clock):
    logger = DecisionLogger("hunter", stores=stores, clock=clock)
    log_one(logger.log, 1)
    count_days("hunter", stores, clock)
    assert await logger.analyze_decision_patterns(exact=True) == await logger.analyze_decision_patterns()
    assert logger.sync.analyze_decision_patterns(exact=True)["total"]["count"] == 1


values = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-(10**12), 10**12).map(float)
keys = st.builds(
    CellKey,
    st.sampled_from(KINDS),
    st.none() | st.text(max_size=3),
    st.lists(st.text(max_size=2), max_size=2).map(tuple),
    st.none() | st.just("1h"),
    st.none() | st.booleans(),
)


columns = st.tuples(st.lists(values, max_size=4), st.lists(values, max_size=4))


@settings(max_examples=30)
@given(parts=st.lists(st.dictionaries(keys, columns, max_size=3), max_size=3))
def test_the_counts_of_parts_add_up_and_are_stored_exactly(parts):
    together, merged = Rollup(), Rollup()
    for number, part in enumerate(parts):
        one = Rollup()
        for key, (latencies, qualities) in part.items():
            for rollup in (together, one):
                cell = rollup.cells.setdefault(key, Cell())
                cell.decisions += len(latencies) + 1
                cell.latency_ms.extend(latencies)
                cell.quality.extend(qualities)
        stored = rollup_data(one) if number % 2 else in_earlier_format(one)
        merged.merge(rollup_from(stored))
    assert rollup_data(merged) == rollup_data(together)
    assert rollup_from(rollup_data(together)).cells == {key: cell.in_order() for key, cell in together.cells.items()}


def test_a_day_that_has_just_ended_waits(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    log_one(log, 0)
    clock.advance(DAY_MS - NOW % DAY_MS + 60_000)
    assert count_days(agent, stores, clock)["days"] == 0
    clock.advance(HOUR_MS)
    assert count_days(agent, stores, clock)["days"] == 1


@pytest.mark.parametrize("day", [TODAY, date(2100, 1, 1)])
def test_a_day_that_has_not_ended_is_refused(stores, day):
    from agent_memory import InvalidInput

    with pytest.raises(InvalidInput, match="date"):
        roll_up_days("hunter", day, stores)


def test_a_span_that_ends_with_a_day_counts_it_once(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    midnight = NOW - NOW % DAY_MS - DAY_MS
    for at_ms in (midnight - 1, midnight, midnight, midnight + 1):
        log.log_one(
            {"decision_type": "QUERY", "context": {}, "reasoning": {}, "decision_id": new_decision_id("QUERY", at_ms)}
        )
    count_days(agent, stores, clock)
    for limit in (1, 2, 3, 4):
        found, cursor = [], None
        while True:
            part = log.performance(limit=limit, cursor=cursor)
            found.append(part["decisions"])
            cursor = part["cursor"]
            if cursor is None:
                break
        assert sum(found) == 4


@pytest.mark.parametrize("start", ["9999-12-31T00:00:00Z", "9999-12-31T12:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_span_at_an_end_of_time(stores, clock, start):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    log_one(log, 1)
    count_days(agent, stores, clock)
    for time_range in ((start, None), (start, start)):
        criteria = DecisionFilter(time_range=time_range)
        counted = log.statistics(criteria)["total"]["count"]
        assert counted == log.performance(time_range)["decisions"] == len(list(log.stream(criteria)))


async def test_a_change_after_the_agent_was_forgotten_is_recorded(stores, clock):
    """The process that erases the agent has recorded a change of the same day just before."""
    log = DecisionLog("hunter", stores, clock)
    log_one(log, 1)
    count_days("hunter", stores, clock)
    log_one(log, 1)
    await MemoryManager("hunter", stores=stores, clock=clock).forget(dry_run=False)
    decision_id = log_one(log, 1)
    count_days("hunter", stores, clock)
    log.record_outcome(outcome_of(decision_id, 2))
    assert log.statistics(DecisionFilter(), "type")["total"]["with_outcome"] == 1


def test_counts_do_not_tell_zeros_apart(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    for n, quality in enumerate((-0.0, 0.0, 0, -0.0)):
        log.record_outcome({"decision_id": log_one(log, n % 2 + 1), "success": n < 2, "outcome": {"quality": quality}})
    count_days(agent, stores, clock)
    counted, exact = (repr(log.statistics(DecisionFilter(), "type", exact=exact)) for exact in (False, True))
    assert counted == exact
