"""A memory that was damaged since it was last recalled is named, and the others are recalled."""

import sqlite3

from agent_memory import MemoryManager, connect


def test_a_memory_that_is_damaged_after_a_recall_is_named_and_the_rest_is_recalled(tmp_path):
    memory = MemoryManager("hunter", stores=connect(f"sqlite:///{tmp_path}/memory.db")).sync
    memory.store_ltm("PATTERN", "lead", {"text": "bread rises"})
    memory.store_ltm("PATTERN", "follow", {"text": "bread falls"})
    assert len(memory.recall("bread")) == 2
    with sqlite3.connect(tmp_path / "memory.db") as file:
        file.execute("update memories set record = '{' where pattern_id = 'lead'")
    file.close()
    for _ in range(2):
        found = memory.recall("bread")
        assert [one["memory"]["pattern_id"] for one in found] == ["follow"]
        assert [(one["id"], one["reason"]) for one in found.missing] == [("lead", "damaged")]
