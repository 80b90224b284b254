"""Answers of an emulator, recorded once and given again at once, so that a client's own work is measured.

The emulator is moto. A request that was not recorded is an error.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from agent_memory.core.concurrency import chunks
from agent_memory.storage.dynamodb.items import Item
from benchmarks.instant_dynamodb import body_of

_REGION = "us-east-1"
_PUTS_PER_REQUEST = 25
_KEYS: dict[str, Any] = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


class ReplayedDynamoDB:
    """Clients that record while moto answers, and replay afterwards; `requests` counts what was replayed."""

    def __init__(self) -> None:
        from moto import mock_aws  # noqa: PLC0415  takes a second, and has to come before its clients

        self._emulator = mock_aws
        self._answers: dict[tuple[str, bytes], str] = {}
        self._asked = local()
        self._records = False
        self.requests = 0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Inside the block, moto answers."""
        with self._emulator():
            self._records = True
            yield
            self._records = False
        gc.collect()
        gc.freeze()  # what the emulator has left in memory would be searched for garbage during each measurement

    def client(self) -> Any:
        """A boto3 client as the product makes them."""
        session: Any = boto3.Session(region_name=_REGION, **_KEYS)
        client = session.client("dynamodb", config=Config(parameter_validation=False))
        self._watch(client)
        return client

    def table(self, name: str) -> Any:
        """A table of a boto3 resource, as examples use it."""
        session: Any = boto3.Session(region_name=_REGION, **_KEYS)
        table = session.resource("dynamodb").Table(name)
        self._watch(table.meta.client)
        return table

    def _watch(self, client: Any) -> None:
        client.meta.events.register_first("before-send.dynamodb.*", self._before_send)
        client.meta.events.register_first("before-parse.dynamodb.*", self._before_parse)

    def _before_send(self, request: Any, **_: Any) -> AWSResponse | None:
        target = request.headers["X-Amz-Target"]
        operation = target.decode() if isinstance(target, bytes) else target
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        self._asked.key = (operation, body)
        if self._records:
            return None
        self.requests += 1
        return AWSResponse(request.url, 200, HTTPHeaders(), body_of(self._answers[operation, body]))

    def _before_parse(self, response_dict: dict[str, Any], **_: Any) -> None:
        if self._records:
            self._answers[self._asked.key] = response_dict["body"].decode()


def batch_write(client: Any, table: str, items: Sequence[Item]) -> None:
    """Write items as they are."""
    for chunk in chunks(items, _PUTS_PER_REQUEST):
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": one}} for one in chunk]})
