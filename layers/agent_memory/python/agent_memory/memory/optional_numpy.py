"""NumPy, where it is installed: the functions of the API do without it."""

from functools import cache
from typing import Any


@cache
def optional_numpy() -> Any:
    """The module, imported when it is first needed; None where it is not installed."""
    try:
        import numpy  # noqa: PLC0415, ICN001
    except ModuleNotFoundError:
        return None
    return numpy
