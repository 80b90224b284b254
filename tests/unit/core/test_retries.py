"""Retries: how often a call is made, and that a first attempt which succeeds needs no library."""

import subprocess
import sys

import pytest

from agent_memory.core.errors import Conflict, Unavailable
from agent_memory.core.retries import retry_conflicts, retry_on, retry_while_pending


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)


class Calls:
    """A call that fails so many times, and returns how often it was made."""

    def __init__(self, failures, error=Conflict):
        self.failures, self.error, self.made = failures, error, 0

    def __call__(self):
        self.made += 1
        if self.made <= self.failures:
            raise self.error(f"attempt {self.made}")
        return self.made


@pytest.mark.parametrize("failures", [0, 1, 99])
def test_a_change_is_repeated_while_others_come_first(failures):
    assert retry_conflicts(Calls(failures)) == failures + 1


def test_the_last_of_a_hundred_conflicts_is_raised():
    change = Calls(100)
    with pytest.raises(Conflict, match="attempt 100"):
        retry_conflicts(change)
    assert change.made == 100


def test_other_errors_are_not_repeated():
    change = Calls(1, ValueError)
    with pytest.raises(ValueError, match="attempt 1"):
        retry_conflicts(change)
    assert change.made == 1


@pytest.mark.parametrize("pending", [0, 1, 7])
def test_what_is_pending_is_sent_again(pending):
    sent = []
    retry_while_pending(lambda: sent.append(1) or len(sent) <= pending, why="throttled")
    assert len(sent) == pending + 1


def test_what_is_pending_after_eight_attempts_is_an_outage():
    sent = []
    with pytest.raises(Unavailable, match="throttled"):
        retry_while_pending(lambda: sent.append(1) or True, why="throttled")
    assert len(sent) == 8


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_call_is_repeated_at_once(failures):
    assert retry_on(Conflict, Calls(failures), attempts=3) == failures + 1


def test_a_call_is_repeated_as_often_as_asked():
    call = Calls(3)
    with pytest.raises(Conflict, match="attempt 3"):
        retry_on(Conflict, call, attempts=3)
    assert call.made == 3


def test_a_nightly_function_starts_without_asyncio():
    script = """
import sys
import agent_memory.api.nightly
from agent_memory.storage.factory import open_stores
open_stores(archive_bucket="archive", region="us-east-1")
print(*sorted({"asyncio", "tenacity"} & set(sys.modules)))
"""
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
