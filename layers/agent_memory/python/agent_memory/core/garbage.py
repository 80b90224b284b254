"""When Python searches for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Let Python not search for garbage in the block, unless another thread lets it again.

    Reading many records makes many objects and hardly any garbage that is not freed at once. To search them again and
    again takes longer than to make them. Blocks may be nested, and those of threads may overlap: the end of a block
    that found the search enabled enables it, so that it is never disabled for good.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
