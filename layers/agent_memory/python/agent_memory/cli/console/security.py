"""Who may use the console: browsers of this machine that show its own pages.

Host      has to be this machine's, or a name that another site points at 127.0.0.1 could read the pages
Origin    of what writes has to be the console's own; a form of another site sends its own one, or `null`
token     of what writes has to be the one in the pages, which other sites cannot read
CSP       lets the pages load nothing but the console's own files, and run no script that is written in a page
"""

import secrets
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = "127.0.0.1"
_READING = ("GET", "HEAD")
_DEFAULT_PORT = 80
_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "content-security-policy": _SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Without a referrer, browsers would send the Origin `null` with the console's own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


class WriteToken:
    """A random token in each page, which every request that writes has to send back."""

    def __init__(self) -> None:
        self.value = secrets.token_urlsafe(32)

    def matches(self, other: str | None) -> bool:
        """Whether a request has sent this token; the comparison takes the same time wherever they differ."""
        return other is not None and secrets.compare_digest(self.value.encode(), other.encode())


class LocalOnly:
    """ASGI middleware that refuses requests for other hosts and writes from other origins, and sets the headers.

    Args:
        app: the application.
        hosts: the values of `Host` that are accepted, with their port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        app = self._app if refusal is None else PlainTextResponse(refusal, status_code=403)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        """Why a request is refused; None if it is not."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "This console answers only under the address that it printed."
        if method not in _READING and headers.get("origin") not in self._origins:
            return "Only the console's own pages may change anything."
        return None


def local_hosts(port: int) -> tuple[str, ...]:
    """The values of `Host` by which a browser of this machine addresses the console."""
    names = LOOPBACK, "localhost"
    bare = names if port == _DEFAULT_PORT else ()  # which browsers leave out
    return (*(f"{name}:{port}" for name in names), *bare)
