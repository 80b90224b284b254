"""Stores that fail when a test wants them to."""

from agent_memory.core.errors import Unavailable


class FailingOnce:
    """A store, one call of which fails before or after it took effect."""

    def __init__(self, inner, method, calls_before, *, after):
        self._inner, self._method, self._left, self._after = inner, method, calls_before, after

    def __getattr__(self, name):
        call = getattr(self._inner, name)
        return call if name != self._method else lambda *a, **k: self._failing(call, *a, **k)

    def _failing(self, call, *args, **kwargs):
        self._left -= 1
        if self._left != -1:
            return call(*args, **kwargs)
        if self._after:
            call(*args, **kwargs)
        raise Unavailable("injected")
