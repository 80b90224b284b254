"""Locks that a fork leaves free.

A fork copies the memory of all threads and only the one that forks: a lock that another thread holds at that moment is
held in the child for ever, and what it guards may be half changed. The forking thread therefore takes these locks
first, so that in the child they are free and what they guard is as it should be.
"""

import os
from collections.abc import Callable, Sequence
from threading import Lock, RLock
from weakref import WeakSet

_ATTEMPTS = 1000


def fork_safe_lock() -> RLock:
    """A reentrant lock that is free in the child of a fork. Hold it for short work only: a fork waits for it."""
    lock = RLock()
    with _lock:
        _locks.add(lock)
    return lock


def innermost_lock() -> RLock:
    """A lock as `fork_safe_lock` that a thread holds while it takes no other of these locks, nor makes one.

    A fork can therefore wait for it while it holds others, also where many threads nearly always hold one.
    """
    lock = RLock()
    with _lock:
        _innermost.add(lock)
    return lock


def call_in_child(call: Callable[[], None]) -> None:
    """Have something called at the beginning of each child of a fork, when these locks are free."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)


def _take_all() -> None:
    """Take all locks; each that is not free is waited for without holding another, so that no two threads block.

    The innermost ones come last: they can be waited for while others are held.
    """
    for _ in range(_ATTEMPTS):
        _lock.acquire()
        busy = _take(list(_locks))
        if busy is None:
            break
        _lock.release()  # its owner may be about to make a lock
        busy.acquire()
        busy.release()
    else:
        _lock.acquire()
    for lock in list(_innermost):
        lock.acquire()
        _taken.append(lock)


def _take(locks: Sequence[RLock]) -> "RLock | None":
    """Take these locks; if one is not free, none is taken and it is returned."""
    for lock in locks:
        if not lock.acquire(blocking=False):
            _release_taken()
            return lock
        _taken.append(lock)
    return None


def _release_taken() -> None:
    while _taken:
        _taken.pop().release()


def _release_all() -> None:
    _release_taken()
    _lock.release()


_lock = Lock()
_locks: WeakSet[RLock] = WeakSet()
_innermost: WeakSet[RLock] = WeakSet()
_taken: list[RLock] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take_all, after_in_parent=_release_all, after_in_child=_release_all)
