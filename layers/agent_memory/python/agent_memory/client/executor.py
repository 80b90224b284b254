"""The executor of asynchronous calls: this package's own, so that the event loop's stays free for others."""

import asyncio
import contextvars
import os
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, ParamSpec, TypeVar

from agent_memory.core.threads import DaemonThreadPool

P = ParamSpec("P")
T = TypeVar("T")

_MAX_CALLS = 32


@lru_cache(maxsize=1)
def _executor() -> DaemonThreadPool:
    return DaemonThreadPool(_MAX_CALLS)


# A fork copies no threads: a child makes its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executor.cache_clear)


async def in_thread(call: Callable[P, T], /, *args: P.args, **settings: P.kwargs) -> T:
    """Await a blocking call, made in a thread of this package's own with the caller's context variables.

    Up to 32 are under way at once. Cancelled, the call itself goes on to its end; its result is dropped.
    """
    work: Callable[[], Any] = partial(contextvars.copy_context().run, call, *args, **settings)
    result: T = await asyncio.get_running_loop().run_in_executor(_executor(), work)
    return result
