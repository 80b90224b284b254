"""Clients of AWS in a process that forks."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent_memory.storage.factory import aws_client


@pytest.fixture
def connections(socket_enabled, monkeypatch):
    """The addresses from which a service without tables was asked, for each request."""
    asked_from = []

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            asked_from.append(self.client_address)
            body = b'{"TableNames":[]}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield asked_from
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_has_connections_of_its_own(connections):
    client = aws_client("dynamodb", region="us-east-1")
    client.list_tables()
    child = os.fork()
    if not child:
        code = 1
        try:
            client.list_tables()
            client.list_tables()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.list_tables()
    before, first, second, after = connections
    assert before == after
    assert first == second != before
