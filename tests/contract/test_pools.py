"""Pools: an agent reads its own memories and those of its pools, whose changes have the writing agent as author."""

import pytest

from agent_memory import InvalidInput, MemoryManager


@pytest.fixture
def hunter(stores, clock):
    return MemoryManager("hunter", stores=stores, clock=clock, pools=["shared", "desk"])


async def test_own_and_shared_memories_are_read_together(hunter, stores, clock):
    other = MemoryManager("other", stores=stores, clock=clock, pools=["shared"])
    await hunter.store_ltm("PATTERN", "own", {"confidence": 0.5, "text": "whales"})
    await hunter.pool("shared").store_ltm("PATTERN", "both", {"confidence": 0.9, "text": "whales too"})
    await other.pool("shared").update_ltm_confidence("both", 0.4, reason="did not hold for me")
    await other.store_ltm("PATTERN", "private", {"confidence": 1.0})
    await hunter.pool("desk").store_ltm("PATTERN", "own", {"confidence": 0.5, "text": "the desk's"})
    found = await hunter.retrieve_ltm("PATTERN")
    assert [(one["agent_id"], one["pattern_id"], one["changed_by"]) for one in found] == [
        ("hunter", "own", "hunter"),
        ("desk", "own", "hunter"),
        ("shared", "both", "other"),
    ]
    assert [one["agent_id"] for one in await other.get_pattern_memory(min_confidence=0.4)] == ["other", "shared"]
    history = await other.pool("shared").get_ltm_history("PATTERN", "both")
    assert [(one["changed_by"], one["reason"]) for one in history] == [
        ("hunter", None),
        ("other", "did not hold for me"),
    ]
    assert [one["memory"]["pattern_id"] for one in await hunter.recall("whales", kind="PATTERN", top_k=2)] == [
        "own",
        "both",
    ]
    alone = MemoryManager("hunter", stores=stores, clock=clock)
    assert [one["pattern_id"] for one in await alone.retrieve_ltm("PATTERN")] == ["own"]


async def test_the_principal_of_a_change_is_stored(stores, clock):
    arn = "arn:aws:sts::123456789012:assumed-role/hunter/session"
    memory = MemoryManager("shared", stores=stores, clock=clock, writer="hunter", principal=arn)
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5})
    (change,) = await memory.get_ltm_history("PATTERN", "pump")
    assert (change["changed_by"], change["changed_as"]) == ("hunter", arn)
    assert change["changed_by_claimed"] is True, "IAM permitted the pool, not the name"
    (found,) = await memory.retrieve_ltm("PATTERN")
    assert (found["changed_as"], found["changed_by_claimed"]) == (arn, True)
    own = MemoryManager("hunter", stores=stores, clock=clock, principal=arn)
    assert (await own.store_ltm("PATTERN", "pump", {"confidence": 0.5}))["changed_by_claimed"] is False
    direct = MemoryManager("shared", stores=stores, clock=clock, writer="hunter")
    assert (await direct.store_ltm("PATTERN", "dip", {"confidence": 0.5}))["changed_by_claimed"] is False


def test_a_pool_of_other_agents_is_refused(hunter, stores):
    with pytest.raises(InvalidInput, match="'other' is not one of the agent's pools: shared, desk"):
        hunter.pool("other")
    for wrong in ("shared", 5, ["Shared"]):
        with pytest.raises(InvalidInput, match="pools"):
            MemoryManager("hunter", stores=stores, pools=wrong)
    with pytest.raises(InvalidInput, match="writer"):
        MemoryManager("hunter", stores=stores, writer="#")
