"""Embedders: any callable, a local model, Amazon Bedrock; and the one that a setting names."""

from collections.abc import Callable, Sequence

from agent_memory.core.errors import InvalidInput, shown
from agent_memory.ports.embedder import Embedder
from agent_memory.storage.embedders.callables import CallableEmbedder

EMBEDDER_VARIABLE = "AGENT_MEMORY_EMBEDDER"
NAMES = ("local", "bedrock")

EmbedderOption = Embedder | Callable[[Sequence[str]], Sequence[Sequence[float]]] | str
"""An embedder, a function from texts to vectors, or the name of one: `local` or `bedrock`."""


def embedder_of(option: EmbedderOption, *, region: str | None = None) -> Embedder:
    """The embedder that a caller or a setting means. Models are loaded, and clients opened, when they are first used.

    Raises:
        InvalidInput: it is none.
    """
    if option == "local":
        from agent_memory.storage.embedders.local import LocalEmbedder  # noqa: PLC0415  others need no model

        return LocalEmbedder()
    if option == "bedrock":
        from agent_memory.storage.embedders.bedrock import BedrockEmbedder  # noqa: PLC0415  others need no boto3

        return BedrockEmbedder(region=region)
    if isinstance(option, str):
        raise InvalidInput("embedder", f"{shown(option)} is not {' or '.join(NAMES)}")
    if isinstance(option, Embedder):
        return option
    if callable(option):
        return CallableEmbedder(option)
    raise InvalidInput("embedder", f"expected an embedder, a function or a name, got {type(option).__name__}")
