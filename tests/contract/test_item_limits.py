"""What no item can hold is refused as too large, by name, on every store; over HTTP the status is 413."""

import pytest

from agent_memory import MemoryManager
from agent_memory.core.errors import TooLarge

LARGE = {"text": {"why": "x" * 410_000}, "empty objects": {"list": [{} for _ in range(110_000)]}}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_memory_or_state_over_the_limit_of_an_item_is_too_large(stores, clock, name):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    with pytest.raises(TooLarge, match="can be stored") as raised:
        memory.store_ltm("PATTERN", "p1", LARGE[name])
    assert raised.value.field == "data"
    with pytest.raises(TooLarge, match="can be stored") as raised:
        memory.save_state(LARGE[name])
    assert raised.value.field == "state"
    assert (memory.retrieve_ltm("PATTERN"), memory.load_state()) == ([], None)


def test_a_memory_just_under_the_limit_is_stored(stores, clock):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    memory.store_ltm("PATTERN", "p1", {"why": "x" * 390_000, "confidence": 0.5})
    assert len(memory.retrieve_ltm("PATTERN")[0]["why"]) == 390_000
