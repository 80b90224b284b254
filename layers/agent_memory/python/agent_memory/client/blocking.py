"""`Blocking`: the former way to get the synchronous variant of a class."""

import warnings
from typing import Any


def Blocking(wrapped: Any) -> Any:  # noqa: N802  it was a class
    """Deprecated; use `wrapped.sync`."""
    warnings.warn("Blocking(x) is deprecated; use x.sync", DeprecationWarning, stacklevel=2)
    return wrapped.sync
