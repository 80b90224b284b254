"""Nightly jobs of an agent at once: in whatever order their steps happen, every day is sealed and nothing is lost.

Some of the jobs are killed between two steps.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Condition, Thread, current_thread

import pytest
from archives import AGENT, DAYS, FIRST
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, day_start_ms
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.archival import archive_due_days
from agent_memory.storage.factory import in_memory_stores

DUE = FIRST + timedelta(days=DAYS + 31)
"""The day of a job to which all decisions are due, but those of the last two days."""


class Killed(BaseException):
    """The process of a job was killed."""


class Turns:
    """Runs functions on threads of which one at a time does a step: the order is that of `schedule`.

    `kills` has the number of steps after which a function is killed, by the function's index.
    """

    def __init__(self, schedule: list[int], kills: dict[int, int]) -> None:
        self._schedule = iter(schedule)
        self._steps_left = {str(index): steps for index, steps in kills.items()}
        self._changed = Condition()
        self._waiting: list[Thread] = []
        self._running: Thread | None = None
        self._threads: list[Thread] = []

    def run(self, functions: list[Callable[[], None]]) -> list[BaseException]:
        """Run the functions to their ends; returns what they raised."""
        errors: list[BaseException] = []

        def work(function):
            self.wait()
            try:
                function()
            except Killed:
                pass
            except BaseException as error:
                errors.append(error)
            with self._changed:
                self._running = None
                self._threads.remove(current_thread())
                self._changed.notify_all()

        self._threads = [
            Thread(target=work, args=(function,), name=str(index), daemon=True)
            for index, function in enumerate(functions)
        ]
        for one in list(self._threads):
            one.start()
        with self._changed:
            while self._threads:
                self._changed.wait_for(lambda: self._running is None and len(self._waiting) == len(self._threads))
                if self._threads:
                    by_name = sorted(self._waiting, key=lambda one: one.name)
                    self._running = by_name[next(self._schedule, 0) % len(by_name)]
                    self._waiting.remove(self._running)
                    self._changed.notify_all()
        return errors

    def wait(self) -> None:
        """Wait until it is this thread's turn; returns at once on other threads."""
        me = current_thread()
        with self._changed:
            if me not in self._threads:
                return
            if self._running is me:
                self._running = None
            self._waiting.append(me)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._running is me)
        left = self._steps_left.get(me.name)
        if left == 0:
            raise Killed
        if left is not None:
            self._steps_left[me.name] = left - 1


class InTurns:
    """An object whose methods are called when it is the thread's turn."""

    def __init__(self, inner, turns):
        self._inner = inner
        self._turns = turns

    def __getattr__(self, name):
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args, **options):
            self._turns.wait()
            return value(*args, **options)

        return call


def history(is_sealed):
    """Stores with decisions of some days, and a clock; if `is_sealed`, the first is sealed and has a late outcome."""
    clock = FixedClock(day_start_ms(FIRST) + 12 * HOUR_MS)
    stores = in_memory_stores(clock)
    log = DecisionLog(AGENT, stores, clock)
    first = [log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}}).decision_id]
    for _ in range(DAYS - 1):
        clock.advance(DAY_MS)
        log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}})
    clock.advance(day_start_ms(FIRST + timedelta(days=31)) + HOUR_MS - clock.now_ms())
    if is_sealed:
        archive_due_days(AGENT, FIRST + timedelta(days=30), stores)
        log.record_outcome({"decision_id": first[0], "outcome": {"n": 1}, "success": True})
    clock.advance(day_start_ms(DUE + timedelta(days=1)) + HOUR_MS - clock.now_ms())
    return stores


@pytest.mark.slow
@pytest.mark.parametrize("is_sealed", [False, True], ids=["new", "sealed"])
@settings(max_examples=100)
@given(
    schedule=st.lists(st.integers(0, 5), max_size=120),
    days_before=st.lists(st.integers(0, 2), min_size=2, max_size=3),
    kills=st.dictionaries(st.integers(0, 2), st.integers(1, 30), max_size=2),
)
def test_jobs_at_once_seal_every_day(is_sealed, schedule, days_before, kills):
    stores = history(is_sealed)
    turns = Turns(schedule, kills)
    shared = replace(stores, states=InTurns(stores.states, turns), archive=InTurns(stores.archive, turns))
    jobs = [lambda n=n: archive_due_days(AGENT, DUE - timedelta(days=n), shared) for n in days_before]
    assert turns.run(jobs) == []
    last = archive_due_days(AGENT, DUE, stores)
    assert last["postponed"] == []
    assert [len(stores.archive.read_day(AGENT, FIRST + timedelta(days=n))) for n in range(DAYS)] == [1] * DAYS
    assert verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=stores.clock.now_ms()).is_clean
