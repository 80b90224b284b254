"""A thread pool for asynchronous calls, separate from the event loop's default executor."""

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


# A fork does not copy threads: the child creates its own pool.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executor.cache_clear)


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a blocking call that runs in a thread of the pool, with the caller's context variables.

    At most 32 calls run at once. Cancelling does not stop the call; its result is discarded.
    """
    work: Callable[[], Any] = partial(contextvars.copy_context().run, call, *args, **kwargs)
    result: T = await asyncio.get_running_loop().run_in_executor(_executor(), work)
    return result
