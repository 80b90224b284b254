"""The check of the API's base URL."""

import re

import httpx

from agent_memory.core.checks import check_text
from agent_memory.core.errors import InvalidInput

_FIELD = "base_url"
_EXAMPLE = "write the API's URL, as https://abc123.execute-api.us-east-1.amazonaws.com"
_LOCAL = re.compile(r"(localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1\])([:/]|\Z)", re.IGNORECASE)
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?\Z|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\Z")
_SCHEME = re.compile(r"https?:/*", re.IGNORECASE)
_VERSION = re.compile(r"/+v1(/|\Z)", re.IGNORECASE)
_MAX_PORT = 65_535


def check_base_url(base_url: object) -> str:
    """Return the base URL of an API without a slash at its end, or raise `InvalidInput`, which says what to write.

    A path, as that of a stage, is kept; `/v1` is refused, because each request appends it. http is for local clouds and
    private networks: API Gateway answers https only.
    """
    text = check_text(_FIELD, base_url)
    if not text:
        raise InvalidInput(_FIELD, f"is empty; {_EXAMPLE}")
    if "@" in text:  # not repeated in the message: it may contain a password
        raise InvalidInput(_FIELD, "contains a user name or an @; requests are signed with AWS credentials instead")
    scheme, separator, _ = text.partition("://")
    if not separator:
        host = _SCHEME.sub("", text).lstrip("/")
        raise _refusal(text, "has no scheme", f"{'http' if _LOCAL.match(host) else 'https'}://{host}")
    if scheme.lower() not in {"http", "https"}:
        raise InvalidInput(_FIELD, f"the scheme {scheme!r:.20} is neither https nor http; {_EXAMPLE}")
    address = re.split("[?#]", text)[0]
    if address != text:
        raise _refusal(text, "has a query or a fragment", address)
    _check_host(text)
    if _VERSION.search(text):
        raise _refusal(text, "contains /v1, which requests append", text)
    return text.rstrip("/")


def _check_host(text: str) -> None:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InvalidInput(_FIELD, f"{text!r:.80} is not a URL: {error}; {_EXAMPLE}") from error
    host = url.raw_host.decode()
    if not host:
        raise InvalidInput(_FIELD, f"{text!r:.80} has no host; {_EXAMPLE}")
    if not _HOST.match(host):
        raise InvalidInput(_FIELD, f"{text!r:.80}: the host {host!r:.40} is invalid; {_EXAMPLE}")
    if url.port is not None and not 1 <= url.port <= _MAX_PORT:
        raise InvalidInput(_FIELD, f"{text!r:.80}: there is no port {url.port}")
    if url.scheme == "http" and re.search(r"\.amazonaws\.com(\.cn)?\.?\Z", host):
        raise _refusal(text, "is http, and API Gateway answers https only", f"https{text[4:]}")


def _refusal(text: str, problem: str, instead: str) -> InvalidInput:
    written = _VERSION.split(instead, maxsplit=1)[0].rstrip("/")
    return InvalidInput(_FIELD, f"{text!r:.80} {problem}; write {written:.80}")
