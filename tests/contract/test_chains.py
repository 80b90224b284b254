"""The contract of decision chains, on every store."""

import random

import pytest

from agent_memory.core.clock import CLOCK_TOLERANCE_MS
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.log import DecisionLog
from tests.contract.samples import NOW

HOUR = 3_600_000


@pytest.fixture
def log(stores, clock):
    return DecisionLog("hunter", stores, clock)


def decision_input(at_ms=NOW, kind="QUERY", parents=(), **fields):
    decision_id = new_decision_id(kind, at_ms)
    required = {"decision_id": decision_id, "decision_type": kind, "context": {}, "reasoning": {}}
    return {**required, "parent_ids": list(parents), **fields}


def logged(log, **fields):
    return log.log_one(decision_input(**fields)).decision_id


def line(log, count, gap=2 * HOUR, noise=4):
    """Decisions each of which led to the next, with other decisions in between; oldest first."""
    ids, at = [], NOW - count * gap
    for _ in range(count):
        ids.append(logged(log, at_ms=at, parents=ids[-1:]))
        for n in range(noise):
            logged(log, at_ms=at + 60_000 * (n + 1), kind="LEARNING")
        at += gap
    return ids


def relations(log, decision_id, depth=5):
    """The relation and distance of every entry."""
    entries = log.chain(decision_id, depth)
    return {entry.decision_id: (entry.relation, entry.distance) for entry in entries}


def relatives(log, decision_id, depth=5):
    chain = relations(log, decision_id, depth)
    return {name: entry for name, entry in chain.items() if entry[0] in ("ancestor", "descendant")}


def test_five_steps_of_ancestors_and_descendants_among_other_decisions(log):
    ids = line(log, 11)
    expected = {ids[5 - n]: ("ancestor", n) for n in range(1, 6)} | {ids[5 + n]: ("descendant", n) for n in range(1, 6)}
    assert relatives(log, ids[5]) == expected
    assert set(relatives(log, ids[5], depth=2)) == {ids[3], ids[4], ids[6], ids[7]}


def test_more_steps_than_a_decision_stores_ancestors_for(log):
    ids = line(log, 14, noise=0)
    assert relatives(log, ids[0], 13) == {ids[n]: ("descendant", n) for n in range(1, 14)}
    assert relatives(log, ids[-1], 13) == {ids[-1 - n]: ("ancestor", n) for n in range(1, 14)}


def test_another_process_finds_the_same_ancestors(stores, clock, log):
    ids = line(log, 4, noise=0)
    other_log = DecisionLog("hunter", stores, clock)
    last = logged(other_log, at_ms=NOW, parents=ids[-1:])
    assert relatives(log, last) == {ids[-n]: ("ancestor", n) for n in range(1, 5)}
    assert relatives(log, ids[0])[last] == ("descendant", 4)


def test_the_distance_is_that_of_the_shortest_path(log):
    top = logged(log, at_ms=NOW - 40)
    left, right = logged(log, at_ms=NOW - 30, parents=[top]), logged(log, at_ms=NOW - 20, parents=[top])
    bottom = logged(log, at_ms=NOW - 10, parents=[left, right, top])
    assert relatives(log, bottom) == {left: ("ancestor", 1), right: ("ancestor", 1), top: ("ancestor", 1)}
    assert relatives(log, top)[bottom] == ("descendant", 1)


def test_relatives_precede_neighbours_and_each_entry_explains_itself(log):
    root = logged(log, at_ms=NOW - 10 * HOUR)
    early, late = logged(log, at_ms=NOW - 20, kind="LEARNING"), logged(log, at_ms=NOW - 10, kind="SIGNAL_GENERATION")
    middle = logged(log, at_ms=NOW - 15, parents=[root])
    chain = [entry.as_dict() for entry in log.chain(middle)]
    assert [(e["decision_id"], e["relation"], e["distance"]) for e in chain] == [
        (root, "ancestor", 1),
        (early, "before", 1),
        (late, "after", 1),
    ]
    assert [e["why"] for e in chain] == [
        "named as a parent",
        "number 1 before this decision in time",
        "number 1 after this decision in time",
    ]
    assert not any(e["missing"] for e in chain)
    assert {e["decision_type"] for e in chain} == {"QUERY", "LEARNING", "SIGNAL_GENERATION"}


def test_neighbours_are_the_nearest_across_types_and_never_the_decision_itself(log):
    ids = [logged(log, at_ms=NOW + n // 3, kind=("QUERY", "LEARNING")[n % 2]) for n in range(-30, 31)]
    ids.sort()  # ids begin with their time
    position = 30
    chain = relations(log, ids[position], depth=4)
    assert chain == {ids[position - n]: ("before", n) for n in range(1, 5)} | {
        ids[position + n]: ("after", n) for n in range(1, 5)
    }


def test_a_parent_that_is_not_in_the_log_is_shown_as_missing(log):
    missing_id = new_decision_id("QUERY", NOW - 5)
    one = logged(log, parents=[missing_id])
    (entry,) = [entry.as_dict() for entry in log.chain(one)]
    assert (entry["decision_id"], entry["relation"], entry["missing"]) == (missing_id, "ancestor", True)
    assert entry["timestamp"] == "2026-11-20T11:59:59.995Z"
    logged(log, decision_id=missing_id)
    (entry,) = [entry.as_dict() for entry in log.chain(one)]
    assert entry["missing"] is False


def test_parents_in_the_same_batch_may_be_in_any_order(log):
    ids = [new_decision_id("QUERY", NOW + n) for n in range(6)]
    inputs = [decision_input(decision_id=one, parents=ids[n - 1 : n] if n else ()) for n, one in enumerate(ids)]
    random.Random(3).shuffle(inputs)
    assert all(result.error is None for result in log.log(inputs))
    assert relatives(log, ids[0]) == {ids[n]: ("descendant", n) for n in range(1, 6)}


@pytest.mark.slow
def test_a_long_line_in_one_batch_does_not_recurse(log):
    ids = [new_decision_id("QUERY", NOW - 2_000 + n) for n in range(1_500)]
    inputs = [decision_input(decision_id=one, parents=ids[n - 1 : n] if n else ()) for n, one in enumerate(ids)]
    assert all(result.error is None for result in log.log(inputs[::-1]))
    assert relatives(log, ids[-1]) == {ids[-1 - n]: ("ancestor", n) for n in range(1, 6)}


def test_a_long_line_in_any_order_within_one_millisecond_is_logged(log):
    ids = [new_decision_id("QUERY", NOW) for _ in range(200)]
    inputs = [decision_input(decision_id=one, parents=ids[n - 1 : n] if n else ()) for n, one in enumerate(ids)]
    assert [result.error for result in log.log(inputs[::-1])] == [None] * 200
    ancestors = [entry.decision_id for entry in log.chain(ids[9], 50) if entry.relation == "ancestor"]
    assert ancestors == ids[8::-1]


@pytest.mark.parametrize("ahead_ms", [1, 1_000, CLOCK_TOLERANCE_MS])
@pytest.mark.parametrize("together", [True, False])
def test_parents_from_a_clock_that_is_ahead_are_kept(log, ahead_ms, together):
    """Each parent was logged by a host whose clock is ahead of its child's; the order is by parenthood."""
    times = [NOW - n * ahead_ms for n in range(8)]
    ids = [new_decision_id("QUERY", at_ms) for at_ms in times]
    inputs = [decision_input(decision_id=one, parents=ids[n - 1 : n] if n else ()) for n, one in enumerate(ids)]
    for batch in [inputs[::-1]] if together else [[one] for one in inputs]:
        assert [result.error for result in log.log(batch)] == [None] * len(batch)
    found = [(entry.decision_id, entry.distance) for entry in log.chain(ids[-1], 10) if entry.relation == "ancestor"]
    assert found == [(one, n) for n, one in enumerate(ids[-2::-1], 1)]
    found = [(entry.decision_id, entry.distance) for entry in log.chain(ids[0], 10) if entry.relation == "descendant"]
    assert found == [(one, n) for n, one in enumerate(ids[1:], 1)]


@pytest.mark.parametrize(
    ("parents", "field"),
    [
        (lambda own: [own], "/parent_ids/0"),
        (
            lambda _: [new_decision_id("QUERY", NOW - 1), new_decision_id("QUERY", NOW + CLOCK_TOLERANCE_MS + 1)],
            "/parent_ids/1",
        ),
        (lambda _: ["4711"], "/parent_ids/0"),
        (lambda _: "4711", "/parent_ids"),
        (lambda _: [new_decision_id("QUERY", NOW - 1) for _ in range(101)], "/parent_ids"),
    ],
)
def test_invalid_parents_are_refused(log, parents, field):
    own = new_decision_id("QUERY", NOW)
    with pytest.raises(InvalidInput) as caught:
        log.log_one({**decision_input(decision_id=own), "parent_ids": parents(own)})
    assert caught.value.field == field
    with pytest.raises(NotFound):
        log.get(own)


@pytest.mark.parametrize("length", [2, 3, 9])
def test_a_cycle_within_one_millisecond_is_refused(stores, clock, log, length):
    """A parent is never later than its child, so only decisions of one millisecond can form a cycle."""
    ids = [new_decision_id("QUERY", NOW) for _ in range(length)]
    for one, parent in zip(ids[1:], ids[:-1], strict=True):
        logged(log, decision_id=one, parents=[parent])
    for writer in (log, DecisionLog("hunter", stores, clock)):
        with pytest.raises(InvalidInput, match="cycle") as caught:
            logged(writer, decision_id=ids[0], parents=[ids[-1]])
        assert caught.value.field == "/parent_ids"
    cycle = [decision_input(decision_id=one, parents=[ids[n - 1]]) for n, one in enumerate(ids)]
    other_log = DecisionLog("another", stores, clock)
    results = other_log.log([*cycle, decision_input()])
    assert [result.error is None for result in results] == [False] * length + [True]
    assert results[0].error.field == "/decisions/0/parent_ids"


def test_a_link_of_a_refused_write_is_not_shown(log):
    first = logged(log, at_ms=NOW - 10)
    other = logged(log, at_ms=NOW - 5)
    results = log.log([decision_input(decision_id=other, parents=[first])])
    assert results[0].status == "conflict"
    assert relatives(log, first) == {}


def test_an_unknown_decision_has_no_chain(log):
    with pytest.raises(NotFound):
        log.chain(new_decision_id("QUERY", NOW))
    for depth in (0, 51, True, "5"):
        with pytest.raises(InvalidInput, match="depth"):
            log.chain(logged(log), depth)


def test_decisions_of_one_request_that_followed_from_the_same_are_all_found(log):
    top = logged(log, at_ms=NOW - 1000)
    query = decision_input(at_ms=NOW - 900, parents=[top])
    signals = [
        decision_input(at_ms=NOW - n, kind="SIGNAL_GENERATION", parents=[query["decision_id"]]) for n in range(150)
    ]
    log.log([query, *signals])
    expected = {query["decision_id"]: ("descendant", 1)} | {one["decision_id"]: ("descendant", 2) for one in signals}
    assert relatives(log, top) == expected


@pytest.mark.parametrize("first", [[0], [0, 1], [1, 2], [0, 2]])
def test_a_retry_in_another_batch_loses_no_link(log, first):
    """As after a crash of a buffered logger: what was sent may be sent again, with other decisions or without them."""
    top = logged(log, at_ms=NOW - 100)
    inputs = [decision_input(at_ms=NOW - 50 + n, parents=[top]) for n in range(3)]
    log.log([inputs[n] for n in first])
    log.log(inputs)
    log.log(inputs[:1])
    assert relatives(log, top) == {one["decision_id"]: ("descendant", 1) for one in inputs}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_the_oldest_descendants_are_followed_in_whatever_batches_they_were_logged(log, limit):
    top = logged(log, at_ms=NOW - 100)
    inputs = [decision_input(at_ms=NOW - 60 + 10 * n, parents=[top]) for n in range(6)]
    for batch in ([0, 5], [1, 3], [2], [4]):
        log.log([inputs[n] for n in batch])
    found = log.chain(top, 1, limit=limit)
    descendants = {entry.decision_id for entry in found if entry.relation == "descendant"}
    assert descendants == {one["decision_id"] for one in inputs[:limit]}
    assert [one["id"] for one in found.missing] == ([top] if limit < 6 else [])
