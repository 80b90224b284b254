"""The ends of chains in a bucket of another account show what bucket and table together no longer can."""

from dataclasses import replace
from datetime import timedelta

import pytest
from archives import AGENT, DAYS, FIRST, run_nightly_job, sealed_archive

from agent_memory.archive.anchors import Anchors
from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import DAY_MS, HOUR_MS
from agent_memory.core.errors import Damaged, NotFound, Unavailable
from agent_memory.core.keys import ARCHIVE_CHAIN, ARCHIVE_PROGRESS
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.in_memory.blobs import InMemoryBlobs


@pytest.fixture
def anchored():
    """Stores whose nightly job anchors the chain, which has one anchor of its number 5, and their clock."""
    stores, clock = sealed_archive()
    stores = replace(stores, anchors=InMemoryBlobs())
    add_outcome(stores, clock, "late")
    run_nightly_job(stores, clock)
    return stores, clock


def add_outcome(stores, clock, horizon):
    """Record an outcome of an archived decision, so that the next job seals its day again."""
    archived = stores.archive.read_day(AGENT, FIRST + timedelta(days=DAYS - 1))
    outcome = {"decision_id": archived[0].decision_id, "outcome": {}, "success": True, "horizon": horizon}
    DecisionLog(AGENT, stores, clock).record_outcome(outcome)
    clock.advance(2 * HOUR_MS)


def verify(stores, clock):
    return verify_archive(
        AGENT,
        states=stores.states,
        archive=stores.archive,
        now_ms=clock.now_ms(),
        anchored=Anchors(stores.anchors).heads(AGENT),
    )


def roll_back(stores, objects, states):
    """Set bucket and table back to an earlier moment."""
    stores.blobs._objects = dict(objects)
    for name, state in states.items():
        version = stores.states.get(AGENT, name).version
        stores.states.put(AGENT, name, state.data, expected_version=version, now_ms=0)


def moment(stores):
    """What bucket and table have of the archive, as the arguments of `roll_back`."""
    states = {name: stores.states.get(AGENT, name) for name in (ARCHIVE_CHAIN, ARCHIVE_PROGRESS)}
    return dict(stores.blobs._objects), states


def test_a_job_that_sealed_something_adds_one_anchor(anchored):
    stores, clock = anchored
    assert verify(stores, clock).as_dict().items() >= {"status": "unchanged", "anchored": 1}.items()
    run_nightly_job(stores, clock)
    assert verify(stores, clock).anchored == 1
    add_outcome(stores, clock, "later")
    head = run_nightly_job(stores, clock)["head"]
    assert verify(stores, clock).as_dict().items() >= {"status": "unchanged", "anchored": 2}.items()
    assert [one.hash for one in Anchors(stores.anchors).heads(AGENT)][-1] == head


@pytest.fixture
def rolled_back(anchored):
    """The same, but bucket and table were set back to the moment before the last anchor was added."""
    stores, clock = anchored
    before = moment(stores)
    add_outcome(stores, clock, "later")
    run_nightly_job(stores, clock)
    roll_back(stores, *before)
    return stores, clock


def test_a_rollback_of_bucket_and_table_is_found(rolled_back):
    stores, clock = rolled_back
    (finding,) = verify(stores, clock).findings
    assert (finding.kind, finding.day) == ("rolled_back", FIRST + timedelta(days=DAYS - 1))
    assert "does not contain its anchored number" in finding.message


def test_the_next_job_fails_on_another_chain_with_the_same_number(rolled_back):
    stores, clock = rolled_back
    add_outcome(stores, clock, "other")
    with pytest.raises(Damaged, match="is not the one that was anchored as anchors/agent_id=hunter/0"):
        run_nightly_job(stores, clock)


def test_an_agent_that_was_removed_is_found(anchored):
    stores, clock = anchored
    stores.blobs.erase("", dry_run=False)
    for name, _ in stores.states.list_by_prefix(AGENT, ""):
        stores.states.remove(AGENT, name)
    found = {one.kind for one in verify(stores, clock).findings}
    assert "rolled_back" in found
    with pytest.raises(NotFound):
        verify_archive("other", states=stores.states, archive=stores.archive, now_ms=0, anchored=())


def test_what_has_expired_with_its_days_is_no_finding(anchored):
    stores, clock = anchored
    clock.advance(EXPIRE_AFTER_DAYS * DAY_MS)
    stores.blobs.erase("decisions/", dry_run=False)
    assert verify(stores, clock).findings == ()


def test_an_object_that_is_not_an_anchor_is_named(anchored):
    stores, _ = anchored
    stores.anchors.write("anchors/agent_id=hunter/00000009.json", b'{"hash": 1}')
    with pytest.raises(Damaged, match=r"anchors/agent_id=hunter/00000009.json is not an anchor: has missing"):
        Anchors(stores.anchors).heads(AGENT)


def test_a_bucket_that_does_not_answer_fails_the_job_which_can_be_repeated(anchored, monkeypatch):
    stores, clock = anchored
    add_outcome(stores, clock, "later")

    def fail(*_, **__):
        raise Unavailable("S3 did not respond")

    with monkeypatch.context() as patch:
        patch.setattr(stores.anchors, "replace", fail)
        with pytest.raises(Unavailable):
            run_nightly_job(stores, clock)
    run_nightly_job(stores, clock)
    assert verify(stores, clock).as_dict().items() >= {"status": "unchanged", "anchored": 2}.items()
