"""What an unsuccessful HTTP response means.

Only the API itself knows whether it accepts a request. Its errors have the envelope `{"error": {"code": …}}` with a
code of this package. An answer without it comes from something in between, as API Gateway, a proxy or a load balancer,
and says nothing about the request, whatever its status is.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from agent_memory.core import errors
from agent_memory.core.errors import AgentMemoryError, InvalidInput, TooEarly, Unavailable

_TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})
# The API's errors by their code. Others, as `internal` and `no_route`, are no answer to the request: `Unavailable`.
_REFUSALS: Mapping[str, type[AgentMemoryError]] = {
    one.code: one for one in (errors.Conflict, errors.Forbidden, errors.NotFound)
}
_INVALID: Mapping[str, type[InvalidInput]] = {one.code: one for one in (InvalidInput, errors.TooLarge)}
_OUTAGES: Mapping[str, type[Unavailable]] = {
    one.code: one for one in (errors.Damaged, errors.InColdStorage, errors.Misconfigured, errors.ShortTermOff)
} | {errors.Unreadable.code: Unavailable}


def is_transient(response: httpx.Response) -> bool:
    """Whether the same request may succeed when it is sent again at once."""
    envelope = _envelope(response)
    is_final = envelope.get("code") in _OUTAGES or envelope.get("retryable") is False
    return response.status_code in _TRANSIENT_STATUS and not is_final


def error_of(response: httpx.Response) -> AgentMemoryError:
    """The error to raise for a response without success."""
    envelope = _envelope(response)
    code = str(envelope.get("code"))
    message = str(envelope.get("message", ""))
    if code in _OUTAGES:
        return _OUTAGES[code](message)
    if envelope.get("retryable") is False:
        return errors.CacheUnavailable(message)
    if response.is_client_error and code in _INVALID:
        return _invalid_input(_INVALID[code], envelope, message)
    if response.status_code == httpx.codes.FORBIDDEN:  # API Gateway answers it without an envelope
        return errors.Forbidden(f"{_line(response)}: {message or _gateway_message(response)}")
    if response.is_client_error and code in _REFUSALS:
        return _REFUSALS[code](message)
    request_id = envelope.get("request_id")
    text = message or f"no error of this API: {_gateway_message(response)}"
    return Unavailable(
        f"{_line(response)}: {response.status_code}, {text}" + (f" (request {request_id})" if request_id else "")
    )


def object_of(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object in a response; None if there is something else."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _invalid_input(kind: type[InvalidInput], envelope: Mapping[str, Any], message: str) -> InvalidInput:
    field = str(envelope.get("field", "request"))
    message = message.removeprefix(f"{field}: ")
    seconds = envelope.get("retry_after_seconds")
    return TooEarly(field, message, seconds) if isinstance(seconds, int) else kind(field, message)


def _envelope(response: httpx.Response) -> dict[str, Any]:
    """The API's error in a response; empty if there is none."""
    error = (object_of(response) or {}).get("error")
    return error if isinstance(error, dict) else {}


def _gateway_message(response: httpx.Response) -> str:
    body = object_of(response) or {}
    # API Gateway writes `message`, and IAM behind it `Message`.
    return str(body.get("message") or body.get("Message") or response.reason_phrase or "an unknown answer")


def _line(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.path}"
