"""A saved store is read back unchanged; crashes leave a complete file, and damage is detected."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from agent_memory import InvalidInput
from trading_agents.memory import TradingMemoryStore

NOW = 1_795_176_000.25


def filled(clock=lambda: NOW):
    store = TradingMemoryStore(600, half_lives={"trade": 60.0}, max_items=50, reset_every=86_400.0, clock=clock)
    store.add("trade", "win ü\u2028 x", 2.0, "BTC", {"pnl": np.float64(1.5), "n": np.int64(3), "path": [1, None]})
    store.add("outcome", "loss", 1.0)
    return store


def test_a_saved_store_is_read_back_unchanged(tmp_path):
    store = filled()
    store.save(tmp_path / "memory")
    again = TradingMemoryStore.load(tmp_path / "memory", clock=lambda: NOW + 60)
    assert again.items == store.items
    assert (again.decay_half_life, again.half_lives, again.max_items, again.reset_every) == (
        600,
        {"trade": 60.0},
        50,
        86_400.0,
    )
    assert again.importance(again.items[0]) == 1.0
    due = TradingMemoryStore.load(tmp_path / "memory", clock=lambda: NOW + 86_400)
    assert due.items == []
    assert list(tmp_path.iterdir()) == [tmp_path / "memory"]


def test_a_crash_while_saving_leaves_the_old_file(tmp_path, monkeypatch):
    store = filled()
    store.save(tmp_path / "memory")
    store.add("trade", "later")

    def crash(_handle):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="full"):
        store.save(tmp_path / "memory")
    monkeypatch.undo()
    assert len(TradingMemoryStore.load(tmp_path / "memory").items) == 0  # due for its reset by the machine's clock
    assert len(TradingMemoryStore.load(tmp_path / "memory", clock=lambda: NOW).items) == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "memory"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-3], "damaged"),
        (lambda content: content.replace(b"loss", b"boss"), "damaged"),
        (lambda _: b"", "not a trading memory"),
        (lambda _: b"[1, 2]\n", "not a trading memory"),
        (lambda content: content.replace(b"memory/1", b"memory/9"), "not a trading memory"),
    ],
)
def test_damage_is_detected(tmp_path, damage, message):
    filled().save(tmp_path / "memory")
    (tmp_path / "memory").write_bytes(damage((tmp_path / "memory").read_bytes()))
    with pytest.raises(InvalidInput, match=message):
        TradingMemoryStore.load(tmp_path / "memory")


def test_metadata_that_json_cannot_represent_is_named_and_nothing_is_written(tmp_path):
    store = filled()
    store.items[1].metadata["agent"] = object()
    with pytest.raises(InvalidInput) as caught:
        store.save(tmp_path / "memory")
    assert (caught.value.field, list(tmp_path.iterdir())) == ("/items/1/metadata", [])
    with pytest.raises(FileNotFoundError):
        TradingMemoryStore.load(tmp_path / "memory")


_SAVE_REPEATEDLY = """
import sys
from trading_agents import TradingMemoryStore
store = TradingMemoryStore()
for n in range(2_000):
    store.add("trade", f"trade {n} " + "x" * 100)
while True:
    store.save(sys.argv[1])
    print("saved", flush=True)
    store.add("trade", "one more")
"""


@pytest.mark.slow
def test_a_process_killed_while_saving_leaves_a_complete_file(tmp_path):
    path = tmp_path / "memory"
    for wait in (0.0, 0.004, 0.011, 0.017):
        process = subprocess.Popen([sys.executable, "-c", _SAVE_REPEATEDLY, path], stdout=subprocess.PIPE)
        try:
            assert process.stdout.readline() == b"saved\n"
            time.sleep(wait)
        finally:
            process.kill()
            process.communicate()
        assert len(TradingMemoryStore.load(path)) >= 2_000
