"""HTTP servers on this machine: one that answers with a function, one that never answers, and a forward proxy."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.serving import serving

Answer = tuple[int, bytes]
Handle = Callable[[httpx.Request], httpx.Response | Answer]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that a client closes."""


@contextlib.contextmanager
def http_server(handle: Handle, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve requests with a function on a free port, with TLS if there is a context; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            url = f"http://{self.headers['host']}{self.path}"
            response = handle(httpx.Request(self.command, url, headers=dict(self.headers), content=content))
            status, body = (
                (response.status_code, response.content) if isinstance(response, httpx.Response) else response
            )
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if 300 <= status < 400:
                self.send_header("location", f"{url}/moved")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _respond  # noqa: N815  names of http.server

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with _serving(Handler, context) as port:
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"


@dataclass
class Proxy:
    """The URL of a forward proxy, and the targets that it was asked for."""

    url: str
    targets: list[str]


@contextlib.contextmanager
def forward_proxy() -> Iterator[Proxy]:
    """A forward proxy for http and, by CONNECT, for https."""
    targets: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            targets.append(self.path)
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=10) as upstream:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_copy, args=(upstream, self.connection), daemon=True)
                back.start()
                _copy(self.connection, upstream)
                back.join(10)
            self.close_connection = True

        def do_POST(self) -> None:
            targets.append(self.path)
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "proxy-connection"}
            response = httpx.request(self.command, self.path, headers=headers, content=content, trust_env=False)
            self.send_response(response.status_code)
            self.send_header("content-length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST  # noqa: N815  names of http.server

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with _serving(Handler, None) as port:
        yield Proxy(f"http://127.0.0.1:{port}", targets)


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """A server that accepts connections and never answers; yields its URL."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for one in accepted:
                one.close()


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> Iterator[int]:
    server = _Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        yield port


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
