"""A DynamoDB that answers immediately, in this process, so that only the client's own work is measured."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config


def instant_session(**config: Any) -> Any:
    """A boto3 session whose DynamoDB accepts everything; `config` is the botocore configuration of its clients."""
    session: Any = boto3.Session("benchmark", "benchmark", region_name="us-east-1")
    session._session.set_default_client_config(Config(max_pool_connections=32, **config))  # noqa: SLF001
    session.events.register("before-send.dynamodb.*", _answer)
    return session


def _answer(request: Any, **_: Any) -> AWSResponse:
    operation = request.headers["X-Amz-Target"]
    name = operation.decode() if isinstance(operation, bytes) else operation
    answer: dict[str, Any] = {}
    if name.endswith("BatchExecuteStatement"):
        answer["Responses"] = [{"TableName": "agent_decisions"}] * request.body.count(b'"Statement":')
    return AWSResponse(request.url, 200, HTTPHeaders(), body_of(json.dumps(answer)))


def body_of(text: str) -> "_Body":
    """A raw response body of a JSON text."""
    return _Body(text)


class _Body(io.BytesIO):
    """A raw response body, as urllib3 returns it."""

    def __init__(self, text: str) -> None:
        super().__init__(text.encode())

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The body as a single chunk."""
        yield self.read()
