"""Threads for asynchronous calls, separate from the event loop's default executor."""

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from agent_memory.core.threads import DaemonThreadPool, Lane

P = ParamSpec("P")
T = TypeVar("T")

_MAX_CALLS = 32


class CallThreads:
    """Threads that all calls share, and a lane for each object and method.

    While a store does not answer, its calls hold the threads of their own lanes only: calls of other stores, and those
    of other methods, continue.
    """

    def __init__(self) -> None:
        self._pool = DaemonThreadPool(None)
        self._lock = threading.Lock()
        self._lanes: WeakKeyDictionary[Any, dict[str, Lane]] = WeakKeyDictionary()

    def lane_of(self, call: Callable[..., Any], args: tuple[Any, ...]) -> Lane:
        """The lane of a call: that of the object to which a method is bound, or of a function's first argument."""
        owner = getattr(call, "__self__", args[0] if args else call)
        name = getattr(call, "__name__", "")
        with self._lock:
            try:
                lanes = self._lanes.setdefault(owner, {})
            except TypeError:  # a value without an identity of its own
                lanes = self._lanes.setdefault(CallThreads, {})
            if name not in lanes:
                lanes[name] = Lane(self._pool, _MAX_CALLS)
            return lanes[name]


_threads = CallThreads()


def _start_again() -> None:
    global _threads  # noqa: PLW0603  one for the process
    _threads = CallThreads()


# A fork does not copy threads: the child starts its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_again)


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a blocking call that runs in a thread, with the caller's context variables.

    At most 32 calls of one method of an object run at once. Cancelling does not stop a call; its result is discarded,
    and its thread ends with the program.
    """
    work: Callable[[], Any] = partial(contextvars.copy_context().run, call, *args, **kwargs)
    result: T = await asyncio.get_running_loop().run_in_executor(_threads.lane_of(call, args), work)
    return result
