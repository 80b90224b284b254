"""Any function from texts to vectors as an embedder."""

from collections.abc import Callable, Sequence

from agent_memory.core.checks import check_text
from agent_memory.core.errors import InvalidInput

_MAX_NAME = 100


class CallableEmbedder:
    """An embedder that calls a function with a list of texts, which returns a vector for each.

    Args:
        function: blocks, and may be called from several threads.
        name: what its vectors depend on, by default the function's module and name. Give a new name with a new model,
            so that vectors of different models are not compared.
    """

    def __init__(self, function: Callable[[Sequence[str]], Sequence[Sequence[float]]], name: str | None = None) -> None:
        if not callable(function):
            raise InvalidInput("function", f"expected a function, got {type(function).__name__}")
        self._function = function
        kind = type(function)
        own_name = (
            f"{getattr(function, '__module__', kind.__module__)}.{getattr(function, '__qualname__', kind.__qualname__)}"
        )
        self._name = check_text("name", own_name[-_MAX_NAME:] if name is None else name, _MAX_NAME).replace(" ", "-")

    @property
    def name(self) -> str:
        """See `Embedder`."""
        return self._name

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `Embedder`."""
        return self._function(texts)
