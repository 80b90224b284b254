"""What adapters keep for frameworks is not what an agent knows."""

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.client.integrations.recalled import KEPT_FOR_FRAMEWORKS, recalled


@pytest.fixture
def memory(stores):
    return MemoryManager("hunter", stores=stores)


async def test_what_is_kept_for_frameworks_is_left_out_however_well_it_matches(memory):
    await memory.store_ltm("NOTE", "own", {"text": "fade small gaps after the open", "confidence": 0.1})
    for kind in sorted(KEPT_FOR_FRAMEWORKS):
        for n in range(40):
            await memory.store_ltm(kind, f"k{n}", {"text": "gaps gaps gaps", "confidence": 1.0})
    found = await recalled(memory, "gaps", None, 2)
    assert ([one["memory"]["pattern_id"] for one in found], found.complete, found.cursor) == (["own"], True, None)
    by_kind = await recalled(memory, "gaps", "LANGGRAPH_ITEM", 3)
    assert [one["kind"] for one in by_kind] == ["LANGGRAPH_ITEM"] * 3


async def test_each_entry_comes_once_the_best_first_and_no_more_than_asked_for(memory, stores):
    await memory.store_ltm("NOTE", "a", {"text": "gaps"})
    await memory.store_ltm("PATTERN", "b", {"text": "trends and gaps", "confidence": 0.2})
    await DecisionLogger("hunter", stores=stores).log_decision("TRADE", {"setup": "gaps"}, {})
    found = await recalled(memory, "gaps", None, 5)
    assert sorted(one["kind"] for one in found) == ["NOTE", "PATTERN", "TRADE"]
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
    assert len(await recalled(memory, "gaps", None, 1)) == 1


def test_the_types_are_those_of_the_adapters():
    from pathlib import Path

    folder = Path(__file__).parents[3] / "layers/agent_memory/python/agent_memory/client/integrations"
    for kind in KEPT_FOR_FRAMEWORKS:
        users = [path.stem for path in folder.glob("*.py") if f'"{kind}"' in path.read_text(encoding="utf-8")]
        assert len(users) == 2, kind
