"""Shaping replies: JSON that fits into what Lambda returns, and errors that tell what to do."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import accumulate, takewhile
from typing import Any

from agent_memory.api.http_errors import status_of
from agent_memory.core.errors import AgentMemoryError, TooLarge
from agent_memory.core.http_limits import MAX_CARRIED_BYTES, carried_bytes

READ_DIRECTLY = "read it without HTTP between, with DecisionLogger"

# Beside a page's decisions: its names and its cursor.
_PAGE_FRAME_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and the text of a JSON object."""

    status: HTTPStatus
    text: str


def reply(body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Reply:
    """A reply with a JSON object.

    Raises:
        TooLarge: Lambda could not return it.
    """
    text = json_text(body)
    if carried_bytes(text) > MAX_CARRIED_BYTES:
        raise TooLarge("reply", f"over the 6 MB that Lambda returns; ask for less, or {READ_DIRECTLY}")
    return Reply(status, text)


def refusal(error: AgentMemoryError) -> Reply:
    """The reply that tells an error which the caller can do something about."""
    return Reply(HTTPStatus(status_of(error)), json_text({"error": error.as_dict()}))


def json_text(body: Any) -> str:
    """JSON without spaces, in as few bytes as Unicode takes; halves of surrogate pairs are escaped."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text if _is_unicode(text) else json.dumps(body, separators=(",", ":"), allow_nan=False)


def how_many_fit(items: Iterable[Mapping[str, Any]]) -> int:
    """How many of some objects, from the first on, one reply can carry together."""
    sizes = accumulate(carried_bytes(json_text(item)) + 1 for item in items)
    return sum(1 for _ in takewhile(lambda size: size <= MAX_CARRIED_BYTES - _PAGE_FRAME_BYTES, sizes))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
