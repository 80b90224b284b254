"""Request bodies of the HTTP client: JSON, and idempotent, so that a request can be retried."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.client.requests import fits_in_request, iso_text, too_large
from agent_memory.core.clock import SystemClock, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.http_limits import MAX_BATCH, MAX_BODY_BYTES, escaped_size
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import check_mapping, check_object, plain_json

# As escaped in the Lambda event, so that both limits hold, of the body and of the event. The difference is for the
# JSON around the items.
_BATCH_BYTES = MAX_BODY_BYTES - 1_024

Result = dict[str, Any]
MakeIdempotent = Callable[[Any, str], dict[str, Any]]


def json_text(value: Any, field: str) -> str:
    """Serialize a caller's value as JSON, converted as `core.json_values` describes.

    Raises:
        InvalidInput: names the JSON Pointer, below `field`, of what cannot be converted.
    """
    return _text(plain_json(value, field))


def fits_in_batch(item: str) -> bool:
    """Whether an item, which is JSON, fits into a request of a batch by itself."""
    return fits_in_request(f'{{"decisions":[{item}]}}')


def object_text(value: Any, field: str) -> str | None:
    """Serialize an optional object for a query; `InvalidInput` names the field if it is not an object."""
    return None if value is None else document_text(value, field)


def document_text(document: Any, field: str, path: str | None = None) -> str:
    """Serialize a caller's JSON object.

    Raises:
        InvalidInput: names the field if it is not an object, or its member by the JSON Pointer below `path`.
    """
    return _text(check_object(field, document, path))


def idempotent_decision(data: Any, path: str = "", *, write_shards: int) -> dict[str, Any]:
    """The input of a decision with an id, generated if it is missing; the API rejects a decision without a type.

    Raises:
        InvalidInput: names the field below `path`.
    """
    body = _plain_input(data, path)
    kind = body.get("decision_type")
    if body.get("decision_id") is None and isinstance(kind, str):
        at_ms = parse_instant(body["timestamp"]) if "timestamp" in body else SystemClock().now_ms()
        try:
            body["decision_id"] = new_decision_id(kind, at_ms, write_shards=write_shards)
        except InvalidInput as error:
            raise error.with_field(f"{path}/{error.field}") from error
    return body


def idempotent_outcome(data: Any, path: str = "") -> dict[str, Any]:
    """The input of an outcome; an amendment gets a timestamp, which distinguishes a retry from a new amendment.

    Raises:
        InvalidInput: names the field below `path`.
    """
    body = _plain_input(data, path)
    if body.get("amend") and "timestamp" not in body:
        body["timestamp"] = to_iso(SystemClock().now_ms())
    return body


@dataclass(frozen=True, slots=True)
class Batch:
    """One request of several items: its body, and the positions of the items in the caller's list."""

    name: str
    body: str
    positions: Sequence[int]

    def by_position(self, results: Sequence[Any]) -> dict[int, Result]:
        """The results by position in the caller's list; their errors name that position too.

        Raises:
            Unavailable: there is not one result for each item.
        """
        if len(results) != len(self.positions) or not all(isinstance(result, dict) for result in results):
            raise Unavailable(f"the answer has {len(results)} results for {len(self.positions)} {self.name}")
        return {
            position: _with_renamed_field(result, f"/{self.name}/{index}", f"/{self.name}/{position}")
            for index, (position, result) in enumerate(zip(self.positions, results, strict=True))
        }


def batches(name: str, items: Sequence[Any], make_idempotent: MakeIdempotent) -> tuple[list[Batch], dict[int, Result]]:
    """Distribute items over as few requests as possible; also returns the results of invalid items, by position.

    Args:
        name: name of the list in the body.
        items: the caller's list.
        make_idempotent: called with each item and its path; returns the item to send, which can be retried.
    """
    texts: dict[int, str] = {}
    invalid: dict[int, Result] = {}
    for position, item in enumerate(items):
        path = f"/{name}/{position}"
        try:
            text = _text(make_idempotent(item, path))
            if not fits_in_batch(text):
                raise too_large(path)
            texts[position] = text
        except InvalidInput as error:
            invalid[position] = {"decision_id": None, "status": "invalid", "error": error.as_dict()}
    requests = [
        Batch(name, f'{{"{name}":[{",".join(texts[position] for position in positions)}]}}', positions)
        for positions in _split({position: escaped_size(text) + 1 for position, text in texts.items()})
    ]
    return requests, invalid


def _split(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Split positions, in order, into groups that fit into a request."""
    group: list[int] = []
    group_size = 0
    for position, size in sizes.items():
        if group and (len(group) == MAX_BATCH or group_size + size > _BATCH_BYTES):
            yield group
            group, group_size = [], 0
        group.append(position)
        group_size += size
    if group:
        yield group


def _with_renamed_field(result: Result, sent: str, expected: str) -> Result:
    error = result.get("error")
    if sent == expected or not error or not str(error.get("field", "")).startswith(sent):
        return result
    renamed = expected + error["field"].removeprefix(sent)
    message = renamed + error["message"].removeprefix(error["field"])
    return {**result, "error": {**error, "field": renamed, "message": message}}


def _plain_input(data: Any, path: str) -> dict[str, Any]:
    """A copy of an input, converted as `core.json_values` describes; its time as ISO 8601 text.

    Raises:
        InvalidInput: names the field below `path`.
    """
    given = check_mapping(path, data)
    times = (
        {"timestamp": iso_text(given["timestamp"], f"{path}/timestamp")} if given.get("timestamp") is not None else {}
    )
    others = {name: value for name, value in given.items() if name != "timestamp"}
    return {**check_object(path, others), **times}


def _text(plain: Any) -> str:
    """The JSON text of a value that was converted."""
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # The API takes it, unescaped, for a sign of text that was not UTF-8.
    return text.replace("\ufffd", "\\ufffd")
