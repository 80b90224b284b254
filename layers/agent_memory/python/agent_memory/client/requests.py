"""Signed requests with retries; error responses are raised as this package's errors."""

import os
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_random_exponential,
)

from agent_memory.client.responses import error_of, is_transient, object_of
from agent_memory.client.signing import SigV4, region_of
from agent_memory.client.urls import check_base_url
from agent_memory.core.checks import check_boolean, check_text
from agent_memory.core.clock import Instant, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput, TooLarge, Unavailable, shown
from agent_memory.core.extras import needs_extra
from agent_memory.core.http_limits import MAX_BODY_BYTES, MAX_ESCAPED_BYTES, MAX_URL_BYTES, escaped_size
from agent_memory.core.ids import path_name
from agent_memory.core.json_values import plain_json
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.storage.aws_errors import checked_settings

_TIMEOUT_SECONDS = 30
_ATTEMPTS = 4
_TOTAL_SECONDS = 60
_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 5.0
_TRANSIENT_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
# As botocore does, so that one variable suffices for both.
_CA_BUNDLE_VARIABLE = "AWS_CA_BUNDLE"


Query = Mapping[str, str | None]
"""The parameters of a request; those that are None are not sent."""

Members = Mapping[str, type]
"""The members that a response must have, with their types."""


class Requests:
    """Sends requests to URLs below a base URL; thread-safe, and independent of event loops.

    Proxies and certificates are those of the environment, unless a transport is passed: `HTTPS_PROXY`, `HTTP_PROXY`,
    `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `SSL_CERT_DIR` as httpx reads them, and `AWS_CA_BUNDLE` as boto3 does.

    Raises:
        InvalidInput: these settings cannot be used.
    """

    def __init__(self, base_url: str, auth: SigV4, transport: httpx.BaseTransport | None) -> None:
        self.base_url = base_url
        self._auth = auth
        self._transport = transport
        self._open()

    def _open(self) -> None:
        self._process = os.getpid()
        try:
            # Without a transport of our own: httpx ignores proxies for a client that is passed one.
            self._http = httpx.Client(
                base_url=self.base_url, auth=self._auth, transport=self._transport, verify=_certificates()
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise InvalidInput(
                "environment", f"the variables for proxies and certificates (HTTPS_PROXY, …) cannot be used: {error}"
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, method: str, path: str, body: str | None = None, *, query: Query | None = None, expect: Members
    ) -> dict[str, Any]:
        """Send a request, with retries, and return the JSON object of the response.

        Args:
            method: the HTTP method.
            path: the path below the base URL.
            body: JSON.
            query: the parameters; those that are None are left out.
            expect: the members that the response must have, with their types. Something else than the API, as a
                gateway or a proxy, may have answered without them.

        Raises:
            InvalidInput, TooLarge, Forbidden, NotFound, Conflict: the API rejected the request.
            Unavailable: the API did not respond, or a store behind it, or something else responded in its place.
        """
        if body is not None and not fits_in_request(body):
            raise too_large("body")
        parameters = {name: check_text(name, value) for name, value in (query or {}).items() if value is not None}
        # The signature expects a space as %20; httpx would encode it as a plus sign.
        target = f"{path}?{urlencode(parameters, quote_via=quote)}" if parameters else path
        if len(target) > MAX_URL_BYTES:
            raise _too_long(parameters)
        retrying = Retrying(
            retry=retry_if_exception_type(_TRANSIENT_ERRORS) | retry_if_result(is_transient),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=_FIRST_BACKOFF_SECONDS, max=_LONGEST_BACKOFF_SECONDS),
            retry_error_callback=_last_response,
        )
        try:
            response = retrying(self._send_once, method, target, body, time.monotonic() + _TOTAL_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
            raise Unavailable(f"the API did not respond: {type(error).__name__}: {error}") from error
        return _checked(response, expect)

    def _send_once(self, method: str, target: str, body: str | None, deadline: float) -> httpx.Response:
        if self._process != os.getpid():
            self._open()  # a fork must not share the connections of its parent
        if self._http.is_closed:
            raise Unavailable("this client is closed")
        timeout = min(_TIMEOUT_SECONDS, deadline - time.monotonic())
        if timeout <= 0:
            raise Unavailable(f"the API did not respond within {_TOTAL_SECONDS} seconds")
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            return self._http.request(method, target, content=body, headers=headers, timeout=timeout)
        except RuntimeError as error:  # closed by another thread meanwhile
            if not self._http.is_closed:
                raise
            raise Unavailable("this client is closed") from error


def fits_in_request(body: str) -> bool:
    """Whether a request's body, which is JSON, is small enough for the API to receive it."""
    # A character takes at most four bytes, so that most bodies need not be measured.
    if 4 * len(body) <= MAX_BODY_BYTES:
        return True
    return len(body.encode()) <= MAX_BODY_BYTES and escaped_size(body) <= MAX_ESCAPED_BYTES


def too_large(field: str) -> TooLarge:
    """The error for a value that makes a request too large."""
    return TooLarge(
        field,
        f"exceeds {MAX_BODY_BYTES:,} bytes in a request, or 6 MB with quotes and backslashes escaped; store large data "
        "elsewhere and refer to it",
    )


def _too_long(parameters: Mapping[str, str]) -> TooLarge:
    """The error for parameters that make a URL too long; names the longest one."""
    sizes = {name: len(quote(value)) for name, value in parameters.items()}
    longest = max(sizes, key=lambda name: sizes[name], default="path")
    why = f"API Gateway accepts {MAX_URL_BYTES:,} in a URL; pass less, or ask the stores without HTTP"
    return TooLarge(longest, f"takes {sizes.get(longest, 0):,} bytes, and {why}")


def open_requests(base_url: str, session: Any, region: str | None, transport: httpx.BaseTransport | None) -> Requests:
    """Requests to the agents' paths of a deployed API; see `AgentMemoryClient` for the arguments."""
    base_url = check_base_url(base_url)
    if session is None:
        with needs_extra("client"):
            import boto3  # noqa: PLC0415  not needed if the caller has a session

        with checked_settings("session"):
            session = boto3.Session()
    if not callable(getattr(session, "get_credentials", None)):
        raise InvalidInput("session", f"{type(session).__name__} has no credentials; pass a boto3.Session()")
    auth = SigV4(session, region or region_of(base_url, session))
    return Requests(f"{base_url}/v1/agents/", auth, transport)


def path_segment(name: str) -> str:
    """Encode a name that was checked as one segment of a path."""
    return quote(path_name(name), safe="")


def time_query(time_range: TimeRange | None) -> dict[str, str | None]:
    """The query parameters of a time range."""
    DecisionFilter(time_range=time_range).validated()
    start, end = (None, None) if time_range is None else time_range
    return {"start": iso_text(start, "time_range/start"), "end": iso_text(end, "time_range/end")}


def integer_text(value: int, field: str) -> str:
    """The query parameter of an integer, whose bounds the API checks; else `InvalidInput` names the field."""
    number = plain_json(value, field)
    if isinstance(number, bool) or not isinstance(number, int):
        raise InvalidInput(field, f"{shown(number)} is not an integer")
    return str(number)


def boolean_text(value: bool, field: str) -> str:
    """The query parameter of a boolean; `InvalidInput` names the field."""
    return "true" if check_boolean(field, value) else "false"


def iso_text(instant: Instant | None, field: str) -> str | None:
    """An instant as ISO 8601 in UTC with milliseconds.

    Raises:
        InvalidInput: names the field.
    """
    return None if instant is None else to_iso(parse_instant(instant, field))


def _certificates() -> ssl.SSLContext | bool:
    """The certificates to trust: those of `AWS_CA_BUNDLE`, else httpx's default."""
    bundle = os.environ.get(_CA_BUNDLE_VARIABLE)
    return ssl.create_default_context(cafile=bundle) if bundle else True


def _last_response(state: RetryCallState) -> httpx.Response:
    """The response of the last attempt, or its error."""
    assert state.outcome is not None  # there was an attempt  # noqa: S101
    response: httpx.Response = state.outcome.result()
    return response


def _checked(response: httpx.Response, expect: Mapping[str, type]) -> dict[str, Any]:
    """The JSON object of a response with the expected members."""
    if not response.is_success:
        raise error_of(response)
    answer = f"{response.request.url.host} returned {response.status_code}"
    result = object_of(response)
    if result is None:
        raise Unavailable(f"{answer} without a JSON object")
    for name, kind in expect.items():
        if name not in result or not isinstance(result[name], kind):
            raise Unavailable(f"{answer} without the expected {name!r}; something else than the API may have answered")
    return result
