"""Stores that fail on purpose."""

from agent_memory.core.errors import Unavailable


class FailingOnce:
    """A store of which one call raises, before or after it takes effect."""

    def __init__(self, inner, method, calls_before, *, after):
        self._inner, self._method, self._remaining, self._after = inner, method, calls_before, after

    def __getattr__(self, name):
        call = getattr(self._inner, name)
        return call if name != self._method else lambda *args, **kwargs: self._call(call, *args, **kwargs)

    def _call(self, call, *args, **kwargs):
        self._remaining -= 1
        if self._remaining != -1:
            return call(*args, **kwargs)
        if self._after:
            call(*args, **kwargs)
        raise Unavailable("injected")
