"""Signed requests with retries; error responses are raised as this package's errors."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agent_memory.client.signing import SigV4, region_of
from agent_memory.core.clock import Instant, parse_instant, to_iso
from agent_memory.core.errors import (
    AgentMemoryError,
    CacheUnavailable,
    Conflict,
    Forbidden,
    InColdStorage,
    InvalidInput,
    Misconfigured,
    NotFound,
    ShortTermOff,
    TooLarge,
    Unavailable,
    Unreadable,
)
from agent_memory.core.extras import needs_extra
from agent_memory.decisions.queries import TimeRange

_TIMEOUT_SECONDS = 30
_ATTEMPTS = 4
_TOTAL_SECONDS = 60
_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 5.0
_TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})
# Codes of errors with HTTP status 503 that a retry does not help.
_FINAL = {InColdStorage.code: InColdStorage, Misconfigured.code: Misconfigured, Unreadable.code: Unavailable}
_TRANSIENT_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


class TransientError(Unavailable):
    """The request can be retried."""


class Requests:
    """Sends requests to URLs below a base URL; thread-safe."""

    def __init__(self, base_url: str, auth: SigV4, transport: httpx.BaseTransport | None) -> None:
        self.base_url = base_url
        self._http = httpx.Client(base_url=base_url, auth=auth, transport=transport or httpx.HTTPTransport())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, method: str, path: str, body: str | None = None, *, query: Mapping[str, str | None] | None = None
    ) -> dict[str, Any]:
        """Send a request, with retries, and return the JSON object of the response. `body` is JSON.

        Raises:
            InvalidInput, TooLarge, Forbidden, NotFound, Conflict: the API rejected the request.
            Unavailable: the API did not respond, or a store behind it.
        """
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        # The signature expects a space as %20; httpx would encode it as a plus sign.
        target = f"{path}?{urlencode(parameters, quote_via=quote)}" if parameters else path
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=_FIRST_BACKOFF_SECONDS, max=_LONGEST_BACKOFF_SECONDS),
            reraise=True,
        )
        return retrying(self._send_once, method, target, body, time.monotonic() + _TOTAL_SECONDS)

    def _send_once(self, method: str, target: str, body: str | None, deadline: float) -> dict[str, Any]:
        if self._http.is_closed:
            raise Unavailable("this client is closed")
        timeout = min(_TIMEOUT_SECONDS, deadline - time.monotonic())
        if timeout <= 0:
            raise Unavailable(f"the API did not respond within {_TOTAL_SECONDS} seconds")
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            response = self._http.request(method, target, content=body, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            kind = TransientError if isinstance(error, _TRANSIENT_ERRORS) else Unavailable
            raise kind(f"the API did not respond: {type(error).__name__}") from error
        if not response.is_success:
            raise _error_of(response)
        result = _object(response)
        if result is None:
            raise Unavailable(f"{response.request.url.host} returned {response.status_code} without a JSON object")
        return result


def open_requests(base_url: str, session: Any, region: str | None, transport: httpx.BaseTransport | None) -> Requests:
    """Requests to the agents' paths of a deployed API; see `AgentMemoryClient` for the arguments."""
    if session is None:
        with needs_extra("client"):
            import boto3  # noqa: PLC0415  not needed if the caller has a session

        session = boto3.Session()
    auth = SigV4(session, region or region_of(base_url, session))
    return Requests(f"{base_url.rstrip('/')}/v1/agents/", auth, transport)


def path_segment(value: str) -> str:
    """Encode a value as one segment of a path."""
    return quote(str(value), safe="")


def time_query(time_range: TimeRange | None) -> dict[str, str | None]:
    """The query parameters of a time range."""
    start, end = time_range or (None, None)
    return {"start": iso_text(start, "time_range/start"), "end": iso_text(end, "time_range/end")}


def integer_text(value: int | None) -> str | None:
    """The query parameter of an integer."""
    return None if value is None else str(value)


def iso_text(instant: Instant | None, field: str) -> str | None:
    """An instant as ISO 8601 in UTC with milliseconds.

    Raises:
        InvalidInput: names the field.
    """
    return None if instant is None else to_iso(parse_instant(instant, field))


def _error_of(response: httpx.Response) -> AgentMemoryError:
    error = _error_object(response)
    message = str(error.get("message", f"the API returned {response.status_code}"))
    match response.status_code:
        case httpx.codes.BAD_REQUEST if "field" in error:
            field = str(error["field"])
            return InvalidInput(field, message.removeprefix(f"{field}: "))
        case httpx.codes.BAD_REQUEST:
            return InvalidInput("request", message)
        case httpx.codes.FORBIDDEN:
            return Forbidden(f"{response.request.method} {response.request.url.path}: {message}")
        case httpx.codes.NOT_FOUND if error.get("code") == ShortTermOff.code:
            return ShortTermOff(message)
        case httpx.codes.NOT_FOUND:
            return NotFound(message)
        case httpx.codes.CONFLICT:
            return Conflict(message)
        case httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            field = str(error.get("field", "body"))
            return TooLarge(field, message.removeprefix(f"{field}: "))
    final = _FINAL.get(str(error.get("code"))) or (CacheUnavailable if error.get("retryable") is False else None)
    if final is not None:
        return final(message)
    request_id = error.get("request_id")
    kind = TransientError if response.status_code in _TRANSIENT_STATUS else Unavailable
    return kind(message + (f" (request {request_id})" if request_id else ""))


def _error_object(response: httpx.Response) -> dict[str, Any]:
    """The error in a response: the API's has an object `error`, the gateway's only a `message`."""
    body = _object(response) or {}
    error = body.get("error")
    return error if isinstance(error, dict) else body


def _object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
