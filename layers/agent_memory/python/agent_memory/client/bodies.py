"""What the client sends: JSON that the API can take, made so that a request may be repeated."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.client.requests import iso
from agent_memory.core.clock import SystemClock, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.http_limits import MAX_BATCH, MAX_BODY_BYTES, escaped_size
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import check_json

# Of carried bytes, so that the limits of body and event both hold, with room for the frame of a batch.
_BATCH_BYTES = MAX_BODY_BYTES - 1_024

Result = dict[str, Any]
Repeatable = Callable[[Any, str], dict[str, Any]]


def json_text(value: Any, field: str) -> str:
    """JSON of what a caller gave; `InvalidInput` names the field where it is not JSON."""
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(field, f"not JSON: {error}") from error
    return text


def document_text(document: Any, field: str) -> str:
    """JSON of a document that a table is to keep; what it could not keep is refused by its place in the document."""
    if isinstance(document, Mapping):
        check_json(document)
    return json_text(document, field)


def repeatable_decision(data: Any, path: str = "", *, write_shards: int) -> dict[str, Any]:
    """A decision's input with an id where it has none; what cannot have one is left to the API to refuse.

    Raises:
        InvalidInput: names the field, a place under `path`.
    """
    body = _checked(data, path, "context", "reasoning", "metadata")
    kind = body.get("decision_type")
    if body.get("decision_id") is None and isinstance(kind, str):
        at_ms = parse_instant(body["timestamp"]) if "timestamp" in body else SystemClock().now_ms()
        body["decision_id"] = new_decision_id(kind, at_ms, write_shards=write_shards)
    return body


def repeatable_outcome(data: Any, path: str = "") -> dict[str, Any]:
    """An outcome's input with a time where it amends: that tells a repeated amendment from a new one.

    Raises:
        InvalidInput: names the field, a place under `path`.
    """
    body = _checked(data, path, "outcome", "metrics")
    if body.get("amend") and "timestamp" not in body:
        body["timestamp"] = to_iso(SystemClock().now_ms())
    return body


@dataclass(frozen=True, slots=True)
class Batch:
    """One request of a batch: its body, and the places of its items in what the caller gave."""

    name: str
    body: str
    places: Sequence[int]

    def placed(self, results: Sequence[Result]) -> dict[int, Result]:
        """Results by the caller's places, which are then the ones that their errors name."""
        return {
            place: _renumbered(result, f"/{self.name}/{sent}", f"/{self.name}/{place}")
            for sent, (place, result) in enumerate(zip(self.places, results, strict=True))
        }


def batches(name: str, items: Sequence[Any], repeatable: Repeatable) -> tuple[list[Batch], dict[int, Result]]:
    """Items in as few requests as carry them, and the results of those that cannot be sent at all.

    Args:
        name: of the list in the body.
        items: what the caller gave.
        repeatable: makes one item so that it may be sent again, given its path.
    """
    texts: dict[int, str] = {}
    refused: dict[int, Result] = {}
    for place, item in enumerate(items):
        path = f"/{name}/{place}"
        try:
            texts[place] = json_text(repeatable(item, path), path)
        except InvalidInput as error:
            refused[place] = {"decision_id": None, "status": "invalid", "error": error.as_dict()}
    made = [
        Batch(name, f'{{"{name}":[{",".join(texts[place] for place in places)}]}}', places)
        for places in _runs({place: escaped_size(text) + 1 for place, text in texts.items()})
    ]
    return made, refused


def _runs(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Places in order, in runs that a request may hold; one that is too large by itself goes alone and is refused."""
    run: list[int] = []
    filled = 0
    for place, size in sizes.items():
        if run and (len(run) == MAX_BATCH or filled + size > _BATCH_BYTES):
            yield run
            run, filled = [], 0
        run.append(place)
        filled += size
    if run:
        yield run


def _renumbered(result: Result, sent: str, given: str) -> Result:
    error = result.get("error")
    if sent == given or not error or not str(error.get("field", "")).startswith(sent):
        return result
    renamed = given + error["field"].removeprefix(sent)
    message = renamed + error["message"].removeprefix(error["field"])
    return {**result, "error": {**error, "field": renamed, "message": message}}


def _checked(given: Any, path: str, *documents: str) -> dict[str, Any]:
    """What was handed in, as JSON can carry it: JSON itself would turn keys that are no text into such."""
    if not isinstance(given, Mapping):
        raise InvalidInput(path, f"expected a JSON object, got {type(given).__name__}")
    body = dict(given)
    for name in documents:
        if isinstance(body.get(name), Mapping):
            check_json(body[name], f"/{name}")
    if body.get("timestamp") is None:
        body.pop("timestamp", None)
    else:
        body["timestamp"] = iso(body["timestamp"], f"{path}/timestamp")
    return body


def _plain(value: Any) -> Any:
    """A mapping of another class than `dict`, for the JSON encoder."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")
