"""Python's garbage collector while a function starts.

A start makes up to 150,000 objects, which stay as long as the process does: modules, classes, AWS's descriptions of
services. The collector would examine them a hundred times, in a tenth of the start's time, and free almost nothing. It
therefore waits until the stores are open, or until there are more objects than a start makes.
"""

import gc
from functools import cache

_USUAL = gc.get_threshold()
_OBJECTS_OF_A_START = 200_000


def begin() -> None:
    """Let the collector wait."""
    gc.set_threshold(_OBJECTS_OF_A_START)


@cache
def end() -> None:
    """Let the collector work as usual again, on what is made from now on; only the first call has an effect."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
