"""Memories after any order of writes, removals and counted reads: every store answers as the one in memory does."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.json_values import canonical_json
from agent_memory.model.memories import Memory
from agent_memory.ports.memories import Access
from agent_memory.storage.in_memory.memories import InMemoryMemories
from tests.contract.samples import NOW, new_agent

NAMES = ("a", "a!", "a-b", "a:0000000001")
KINDS = ("PATTERN", "PATTERN_2")
DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Operation:
    """What is done to a memory: it is stored or changed, removed if it is there, or its reads are counted."""

    what: str
    kind: str
    name: str
    confidence: float | None
    dated_ms: int


operations = st.lists(
    st.builds(
        Operation,
        what=st.sampled_from(["put", "put", "remove", "count"]),
        kind=st.sampled_from(KINDS),
        name=st.sampled_from(NAMES),
        confidence=st.sampled_from([None, 0.0, 0.25, 1.0]),
        dated_ms=st.integers(0, 3),
    ),
    max_size=14,
)


def apply(store, agent_id, steps, day=DAY):
    for number, one in enumerate(steps):
        current = store.get(agent_id, one.kind, one.name)
        if one.what == "count":
            access = Access(one.kind, one.name, 1 + number, NOW)
            changed = store.add_accesses(agent_id, [access], day + timedelta(days=number))
            assert changed == (current is not None)
            continue
        if one.what == "remove" and current is None:
            continue
        last = current or store.last_removal(agent_id, one.kind, one.name)
        version = Memory(
            agent_id,
            one.kind,
            one.name,
            one.confidence,
            {"n": number, "rate": 1.0},
            NOW,
            NOW + one.dated_ms,
            last.version + 1 if last else 1,
            changed_by="hunter",
            reason=one.what,
            is_removed=one.what == "remove",
            words="1|1=word",
        )
        if version.is_removed:
            store.remove(version, after=current)
        else:
            store.put(version, after=current)


def answers(store, agent_id):
    """Everything that a store says of an agent's memories, with their counts of reads."""
    found = {"types": store.types(agent_id), "own": store.own_types(agent_id)}
    found["erased"] = store.erase(agent_id, dry_run=True)
    found["named"] = sorted(map(counted, store.get_many([(agent_id, kind, name) for kind in KINDS for name in NAMES])))
    for kind in KINDS:
        for bound in (0.0, 0.25):
            current = list(store.by_confidence(agent_id, kind, bound))
            assert [one.rank for one in current] == sorted((one.rank for one in current), reverse=True)
            found[kind, bound] = sorted(map(counted, current))
        versions = list(store.all_versions(agent_id, kind))
        by_name = {name: [one for one in versions if one.pattern_id == name] for name in NAMES}
        found[kind, "all"] = {name: list(map(counted, ones)) for name, ones in by_name.items()}
        adjacent = [
            one.pattern_id for n, one in enumerate(versions) if not n or versions[n - 1].pattern_id != one.pattern_id
        ]
        assert len(adjacent) == len(set(adjacent))
        for at_ms in range(NOW - 1, NOW + 4):
            found[kind, at_ms] = sorted(map(counted, store.versions_at(agent_id, kind, at_ms)))
        for name in NAMES:
            assert store.history(agent_id, kind, name) == by_name[name]
            named = [store.versions_at(agent_id, kind, at_ms, pattern_id=name) for at_ms in range(NOW - 1, NOW + 4)]
            found[kind, name] = [list(map(counted, one)) for one in named]
            if store.get(agent_id, kind, name) is None:
                removal = store.last_removal(agent_id, kind, name)
                found[kind, name, "removal"] = removal and counted(removal)
    return found


def counted(memory):
    content = (
        memory.pattern_id,
        memory.version,
        memory.updated_ms,
        canonical_json(memory.data),
        memory.rank,
        memory.is_removed,
    )
    return (*content, memory.reason, memory.access_count, memory.last_accessed_ms or 0)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(steps=operations)
def test_every_store_answers_alike(stores, steps):
    agent_id, model = new_agent(), InMemoryMemories()
    for store in (model, stores.memories):
        apply(store, agent_id, steps)
    assert answers(stores.memories, agent_id) == answers(model, agent_id)
    assert stores.memories.erase(agent_id, dry_run=False) == model.erase(agent_id, dry_run=True)
    assert stores.memories.erase(agent_id, dry_run=True) == 0


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(steps=operations)
def test_the_last_change_of_each_memory_is_logged_and_counts_of_reads_are_not(stores, steps):
    agent_id, store = new_agent(), stores.memories
    apply(store, agent_id, [Operation("put", "PATTERN", "first", None, 0)])
    cursor = store.changes(agent_id, None).cursor
    apply(store, agent_id, steps)
    logged = store.changes(agent_id, cursor)
    versions = [one for kind in KINDS for one in store.all_versions(agent_id, kind)]
    expected = {(one.memory_type, one.pattern_id): (one.version, one.updated_ms) for one in versions}
    actual = {(one.memory_type, one.pattern_id): (one.version, one.updated_ms) for one in logged.versions}
    # DynamoDB reads the changes of the minute before again
    assert {name: one for name, one in actual.items() if name != ("PATTERN", "first")} == {
        name: one for name, one in expected.items() if name != ("PATTERN", "first")
    }
    apply(store, agent_id, [replace(one, what="count") for one in steps], DAY + timedelta(days=99))
    assert set(store.changes(agent_id, logged.cursor).versions) <= set(logged.versions)
