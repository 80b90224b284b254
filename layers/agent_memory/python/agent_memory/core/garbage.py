"""When Python searches for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from agent_memory.core.forks import call_in_child, innermost_lock

_lock = innermost_lock()
_blocks = 0
_was_enabled = False


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Let Python not search for garbage in the block.

    Reading many records makes many objects and hardly any garbage that is not freed at once. To search them again and
    again takes longer than to make them. Blocks may be nested, and those of threads may overlap: the search is enabled
    again when the last one ends, if it was when the first one began, and in the child of a fork.
    """
    global _blocks, _was_enabled  # noqa: PLW0603  of the process, as what they count
    with _lock:
        if not _blocks:
            _was_enabled = gc.isenabled()
            gc.disable()
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            if _blocks:
                _blocks -= 1
                _enable_after_the_last()


def _enable_after_the_last() -> None:
    if not _blocks and _was_enabled:
        gc.enable()


def _forget_blocks() -> None:
    """In the child of a fork there are no threads that will end their blocks."""
    global _blocks  # noqa: PLW0603
    if _blocks:
        _blocks = 0
        _enable_after_the_last()


call_in_child(_forget_blocks)
