"""`Blocking`: the earlier name of the classes without asyncio."""

import warnings
from typing import Any


def Blocking(wrapped: Any) -> Any:  # noqa: N802  was a class
    """Deprecated: `wrapped.sync`."""
    warnings.warn("Blocking(x) is deprecated; use x.sync", DeprecationWarning, stacklevel=2)
    return wrapped.sync
