"""Amazon Titan Text Embeddings V2 on Amazon Bedrock."""

import json
from collections.abc import Sequence
from typing import Any

from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Unavailable
from agent_memory.core.extras import needs_extra
from agent_memory.core.forks import fork_safe_lock
from agent_memory.storage.factory import aws_client

MODEL = "amazon.titan-embed-text-v2:0"
"""The id of the model, whose invocation the role has to permit."""
_DIMENSIONS = 256
_MAX_CHARACTERS = 50_000
_CONCURRENT = 8


class BedrockEmbedder:
    """Titan Text Embeddings V2 with 256 dimensions; a request per text, up to eight at a time.

    The role needs `bedrock:InvokeModel` on the model, and a network with a route to Bedrock.
    https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html

    Args:
        client: a boto3 client of `bedrock-runtime`; by default one is opened when it is first needed.
        region: of the client that is opened.
    """

    name = f"{MODEL}/{_DIMENSIONS}"

    def __init__(self, client: Any = None, *, region: str | None = None) -> None:
        self._client = client
        self._region = region
        self._lock = fork_safe_lock()

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `Embedder`.

        Raises:
            Unavailable, AccessDenied: Bedrock did not answer, or not with an embedding.
        """
        return map_concurrently(self._embed_one, texts, max_threads=_CONCURRENT)

    def _embed_one(self, text: str) -> Sequence[float]:
        with needs_extra("aws"):
            from agent_memory.storage.aws_errors import translated_errors  # noqa: PLC0415  needs botocore
        body = {"inputText": text[:_MAX_CHARACTERS] or " ", "dimensions": _DIMENSIONS, "normalize": True}
        client = self._open()
        with translated_errors("Bedrock", MODEL):
            response = client.invoke_model(
                modelId=MODEL, body=json.dumps(body), contentType="application/json", accept="application/json"
            )
            content = response["body"].read()
        try:
            return [float(one) for one in json.loads(content)["embedding"]]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"the answer of {MODEL} has no embedding: {content[:80]!r}") from error

    def _open(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = aws_client("bedrock-runtime", region=self._region)
            return self._client
