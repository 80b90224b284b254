"""The check of the API's base URL."""

import re

import httpx

from agent_memory.core.checks import check_text
from agent_memory.core.errors import InvalidInput

_FIELD = "base_url"
_EXAMPLE = "https://abc123.execute-api.us-east-1.amazonaws.com"
_LOCAL = re.compile(r"(localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1\])([:/]|\Z)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?\Z|[0-9A-Fa-f:.]+\Z")


def check_base_url(base_url: object) -> str:
    """Return the base URL of an API without a slash at its end, or raise `InvalidInput`, which says what to write.

    A path, as that of a stage, is kept; `/v1` and what follows it is refused, because it is appended to each request.
    """
    text = check_text(_FIELD, base_url)
    if not text:
        raise InvalidInput(_FIELD, f"is empty; write the API's URL, as {_EXAMPLE}")
    if "@" in text:  # not repeated in the message: it may contain a password
        raise InvalidInput(_FIELD, "contains a user name or an @; requests are signed with AWS credentials instead")
    scheme, separator, _ = text.partition("://")
    if not separator:
        written = f"{'http' if _LOCAL.match(text) else 'https'}://{text.removeprefix('//')}"
        raise InvalidInput(_FIELD, f"{text!r:.80} has no scheme; write {written:.80}")
    if scheme.lower() not in {"http", "https"}:
        raise InvalidInput(_FIELD, f"the scheme {scheme!r:.20} is neither https nor http")
    if "?" in text or "#" in text:
        raise InvalidInput(_FIELD, f"{text!r:.80} has a query or a fragment; write {re.split('[?#]', text)[0]:.80}")
    _check_host(text, scheme.lower())
    before, version, _ = f"{text}/".partition("/v1/")
    if version:
        raise InvalidInput(_FIELD, f"{text!r:.80} contains /v1, which requests append; write {before:.80}")
    return text.rstrip("/")


def _check_host(text: str, scheme: str) -> None:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InvalidInput(_FIELD, f"{text!r:.80} is not a URL: {error}") from error
    host = url.raw_host.decode()
    if not _HOST.match(host):
        problem = f"the host {host!r:.40} is invalid" if host else "has no host"
        raise InvalidInput(_FIELD, f"{text!r:.80}: {problem}; write the API's URL, as {_EXAMPLE}")
    if url.port == 0:
        raise InvalidInput(_FIELD, f"{text!r:.80}: there is no port 0")
    if scheme == "http" and re.search(r"\.amazonaws\.com(\.cn)?\Z", host):
        raise InvalidInput(_FIELD, f"API Gateway answers https only; write https{text[4:]:.80}")
