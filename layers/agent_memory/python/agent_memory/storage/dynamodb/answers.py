"""Takes the items of answers as JSON has them, instead of through botocore's parser.

botocore converts every attribute value by the description of its shape, which is more than half of the time for reading
a page. The JSON of an item has the form that a boto3 client returns already, but for binary values.

The event `before-parse` of botocore hands over the body of an answer before it is parsed, and a dictionary whose
entries replace what is parsed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from agent_memory.core.garbage import without_garbage_collection

_MEMBERS = {"Query": "Items", "Scan": "Items", "BatchGetItem": "Responses", "GetItem": "Item"}
"""The operations that read items, and the member of their answers that has them."""

_ID = "agent-memory-items"
_FIRST_ERROR_STATUS = 300
_wanted = local()
# A client decodes binary values, which other programs may have written. What only looks like one is left to botocore.
_BINARY, _BINARY_SET = b'"B"', b'"BS"'


def take_items_from_json(client: Any) -> None:
    """Let a boto3 client of DynamoDB return the items of its answers as JSON has them, which are the same.

    What is no client of botocore, such as a caller's wrapper, is left as it is.
    """
    events = getattr(getattr(client, "meta", None), "events", None)
    if events is None:
        return
    for operation in _MEMBERS:
        events.register(f"before-parse.dynamodb.{operation}", _take_items, unique_id=f"{_ID}-{operation}")


@contextmanager
def items_as_json() -> Iterator[None]:
    """In the block, queries of this thread return each item as its JSON where they can, a `msgspec.Raw`.

    They return it as it would be else from a client without the handler, and where it may have a binary value.
    """
    _wanted.as_json = True
    try:
        yield
    finally:
        _wanted.as_json = False


def _take_items(
    *, operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    body = response_dict["body"]
    if response_dict["status_code"] >= _FIRST_ERROR_STATUS or _BINARY in body or _BINARY_SET in body:
        return
    if getattr(_wanted, "as_json", False) and operation_model.name == "Query":
        from agent_memory.storage.dynamodb.json_items import items_and_rest  # noqa: PLC0415  writers need no msgspec

        found = items_and_rest(body)
        if found is not None:
            customized_response_dict["Items"], response_dict["body"] = found
            return
    try:
        with without_garbage_collection():
            answer = json.loads(body)
    except ValueError:
        return  # botocore says what is wrong with it
    member = _MEMBERS[operation_model.name]
    if isinstance(answer, dict) and isinstance(answer.get(member), dict | list):
        customized_response_dict[member] = answer.pop(member)
        response_dict["body"] = json.dumps(answer).encode()
