"""A DynamoDB that answers immediately, in this process, so that only the client's own work is measured."""

import io
import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

Answers = Mapping[tuple[str, str], Any]


def instant_session(answers: Answers | None = None, **config: Any) -> Any:
    """A boto3 session whose DynamoDB accepts everything.

    Args:
        answers: what it answers to operations that read, by the operation and the table.
        config: the botocore configuration of its clients.
    """
    session: Any = boto3.Session("benchmark", "benchmark", region_name="us-east-1")
    session._session.set_default_client_config(Config(max_pool_connections=32, **config))  # noqa: SLF001
    texts = {
        (operation, f'"{table}"'.encode()): json.dumps(answer) for (operation, table), answer in (answers or {}).items()
    }
    session.events.register("before-send.dynamodb.*", partial(_answer, texts))
    return session


def _answer(texts: Mapping[tuple[str, bytes], str], request: Any, **_: Any) -> AWSResponse:
    target = request.headers["X-Amz-Target"]
    operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    found = (text for (name, table), text in texts.items() if name == operation and table in request.body)
    text = next(found, "{}")
    if operation == "BatchExecuteStatement":
        accepted = [{"TableName": "agent_decisions"}] * request.body.count(b'"Statement":')
        text = json.dumps({"Responses": accepted})
    return AWSResponse(request.url, 200, HTTPHeaders(), body_of(text))


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
