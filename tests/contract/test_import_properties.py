"""Whatever an agent has, it is the same after an export, its erasure and an import."""

import string
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.admin.agent_data import AgentData
from agent_memory.admin.importing.agent import AgentImport
from agent_memory.core.clock import DAY_MS, FixedClock
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.lineage import links_to
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.memories import Memory
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.model.states import State
from agent_memory.nightly.archival import archive_due_days
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.parquet.archive import ParquetArchive
from tests.contract.test_import import content

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
AGENT = "hunter"
names = st.text(string.ascii_letters + "_#é\n", min_size=1, max_size=8)


def _is_storable(number):
    return number == 0 or abs(number) > 1e-100


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(-1e9, 1e9).filter(_is_storable)
    | st.text(max_size=6)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
own = st.sampled_from(["removed", "hidden_data", "agent_id", "version", "reason", "data"])
documents = st.dictionaries(names | own, values, max_size=4)
times = st.integers(NOW - 120 * DAY_MS, NOW)


@st.composite
def decisions(draw):
    found, ids = [], []
    for at in sorted(draw(st.lists(times, max_size=6, unique=True))):
        kind = draw(st.sampled_from(["QUERY", "MY_OWN"]))
        parents = tuple(draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))) if ids else ()
        one = Decision(
            AGENT, new_decision_id(kind, at, write_shards=3), kind, at, draw(documents), draw(documents),
            draw(documents), parent_ids=parents, memory_ids=("PATTERN/a",),
            policy=draw(st.none() | st.just("thompson")),
            propensity=draw(st.none() | st.floats(1e-9, 1)), ancestors=dict.fromkeys(parents, 1),
        )  # fmt: skip
        updates = draw(
            st.lists(
                st.builds(
                    OutcomeUpdate,
                    st.builds(
                        Outcome, st.booleans(), documents, documents, times, st.sampled_from([None, "1h", "exit"])
                    ),
                    amend=st.booleans(),
                    headline=st.booleans(),
                ),
                max_size=4,
            )
        )
        ids.append(one.decision_id)
        found.append((one, updates))
    return found


@st.composite
def versions(draw):
    """The versions of some memories, in order, with the one after which each is written."""
    found = []
    for name in draw(st.lists(st.sampled_from(["a", "b/c", "d:e"]), unique=True)):
        current = None
        for number, removes in enumerate(draw(st.lists(st.booleans(), min_size=1, max_size=4)), 1):
            is_removal = removes and current is not None
            one = Memory(
                AGENT,
                "PATTERN",
                name,
                draw(st.none() | st.floats(0, 1).filter(_is_storable)),
                draw(documents),
                draw(times),
                draw(times),
                number,
                changed_by=draw(st.none() | st.text(max_size=5)),
                reason=draw(st.none() | st.text(max_size=5)),
                is_removed=is_removal,
            )
            found.append((one, current))
            current = None if is_removal else one
    return found


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(decisions(), versions(), st.dictionaries(names, st.tuples(documents, st.integers(1, 99), times), max_size=3))
def test_export_erase_import_export(tmp_path, logged, memories, states):
    clock = FixedClock(NOW)
    stores = in_memory_stores(clock)
    for one, updates in logged:
        stores.decisions.insert([one])
        stores.decisions.link(links_to(one))
        for update in updates:
            stores.decisions.record_outcomes([(one.key, update)])
    stores.states.register(AGENT, {one.decision_type for one, _ in logged} | {"QUERY"}, 3, NOW)
    for one, before in memories:
        stores.memories.remove(one, after=before) if one.is_removed else stores.memories.put(one, after=before)
    for name, (data, version, at) in states.items():
        stores.states.restore(AGENT, f"OWN#{name}", State(data, version, at), after=0)
    for _ in range(3):  # each archives up to 60 days
        archive_due_days(AGENT, date(2026, 11, 19), stores)
    data, file = AgentData(AGENT, stores, clock), tmp_path / "one.zip"
    data.export(file)
    data.forget(dry_run=False)
    receipt = AgentImport(AGENT, stores, clock, ParquetArchive).run(file, dry_run=False)
    assert (receipt["conflicts"], receipt["not_imported"]) == ([], [])
    again = tmp_path / "two.zip"
    data.export(again)
    assert content(again) == content(file)
